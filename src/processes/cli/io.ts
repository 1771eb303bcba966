/** What a command may touch of the outside world, so that tests run it in process. */
export interface CommandIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** True when `out` is a terminal: colour and progress lines are for people. */
  readonly terminal: boolean;
}

/** Exit codes of the whole CLI (DESIGN 6): Cedar's, and 5 for differences. */
export const exitCode = {
  ok: 0,
  failure: 1,
  denied: 2,
  invalidInput: 3,
  unknown: 4,
  differences: 5,
} as const;
export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** Set by a command whose outcome is not plain success: denied, differences, invalid rows. */
export interface CommandResult {
  exitCode: ExitCode;
}
