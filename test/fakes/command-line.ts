import { runProgram } from "../../src/processes/cli/program.ts";

/** What one command line did. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process, with an empty environment unless one is given. */
export async function runCommand(
  args: readonly string[],
  stdin = "",
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  let out = "";
  let err = "";
  const code = await runProgram(args, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    stdin: (async function* () {
      yield Buffer.from(stdin);
    })(),
    env,
    terminal: false,
  });
  return { code, out, err };
}
