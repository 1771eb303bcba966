import { parseArgs } from "node:util";

/** What the command line asks for. */
export interface Options {
  readonly quick: boolean;
  readonly json: boolean;
  readonly help: boolean;
  /** Write the figures into the repository: results/latest.json and the page made from it. */
  readonly record: boolean;
  /** Record what should not be: a quick or partial run, or one of a busy machine. */
  readonly force: boolean;
  /** Fail where a ratio is grossly worse than the recorded one, twice. */
  readonly check: boolean;
  /** Rows or groups by name; empty: all. */
  readonly rows: readonly string[];
  readonly profileFolder: string | null;
}

/** Returns the options, or what is wrong with them. */
export function parseOptions(args: readonly string[]): Options | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        quick: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
        record: { type: "boolean", default: false },
        force: { type: "boolean", default: false },
        check: { type: "boolean", default: false },
        rows: { type: "string", default: "" },
        profile: { type: "string", default: "" },
      },
    });
    return {
      ...values,
      rows: values.rows.split(",").filter((name) => name !== ""),
      profileFolder: values.profile === "" ? null : values.profile,
    };
  } catch (failure) {
    return failure instanceof Error ? failure.message : String(failure);
  }
}

/** Returns the text of `--help`; `rows` are lines of names and titles. */
export function helpText(rows: readonly string[]): string {
  return `npm run bench -- [options]

Measures mesh-iam in ratios: both sides of a row run on this machine in one interleaved run, and the
ratio is taken round by round. Absolute figures on a shared machine are weather.

  --rows a,b     only these rows or groups (below)
  --quick        few and short rounds: shows that everything works, not to be quoted
  --json         one JSON document on stdout instead of the table
  --record       write bench/results/latest.json and docs/reference/benchmarks.md; refused for a quick
                 or partial run and on a busy machine, but with --force
  --check        exit 1 where a ratio is 1.5 times worse than the recorded one, confirmed by a second run
  --profile DIR  write CPU profiles of the servers of the \`check\` rows

Another measurement, a minute long, has a command of its own (docs/decisions/0002-check-listener.md):
  node bench/listener-resets.ts [http2|grpc-js] [cancels a second] [seconds]

Rows:
${rows.map((row) => `  ${row}`).join("\n")}
`;
}
