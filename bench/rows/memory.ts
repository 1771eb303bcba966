import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createWorkspace, type Workspace } from "../corpus/workspace.ts";
import { stopProcess } from "../measure/child.ts";
import { canReadCpu, memoryKib } from "../measure/cpu.ts";
import { figureOf, ratiosOf } from "../measure/figures.ts";
import type { Group, RowResult, Run } from "./row.ts";

/*
 * What an idle sidecar takes beside a bare Node process with a server (performance 1.11; goal 9). The
 * sidecar is the built package, as it is shipped: type stripping takes memory of its own.
 */

export const memoryGroup: Group = {
  name: "memory",
  rows: [
    {
      name: "idle-memory",
      title: "resident memory of an idle sidecar ÷ a bare Node process",
      unit: "ratio",
    },
  ],
  measure,
};

const project = join(import.meta.dirname, "../..");
/** One folder below the project's, for the modules that the package finds above it. */
const buildFolder = join(project, "build/bench");
const mib = 1024;

async function measure(run: Run): Promise<Map<string, RowResult>> {
  if (!canReadCpu()) {
    return new Map([["idle-memory", { skipped: "memory is read from /proc (Linux)" }]]);
  }
  run.progress("memory: building the package");
  build();
  const workspace = createWorkspace({ users: 10, messages: 10 });
  try {
    const ours: number[] = [];
    const bare: number[] = [];
    const priv: number[] = [];
    const rounds = run.quick ? 1 : 3;
    for (let round = 1; round <= rounds; round++) {
      run.progress(`memory: round ${round} of ${rounds}`);
      const sidecar = await idle(sidecarCommand(workspace), run);
      ours.push(sidecar.resident);
      priv.push(sidecar.private);
      bare.push((await idle(bareCommand, run)).resident);
    }
    return new Map([
      [
        "idle-memory",
        {
          rounds: ratiosOf(ours, bare),
          details: {
            "MiB of ours": figureOf(ours).median / mib,
            "MiB of a bare process": figureOf(bare).median / mib,
            "MiB of ours that are private": figureOf(priv).median / mib,
          },
        },
      ],
    ]);
  } finally {
    workspace.remove();
  }
}

function build(): void {
  mkdirSync(buildFolder, { recursive: true });
  const compiler = join(project, "node_modules/typescript/bin/tsc");
  execFileSync(
    process.execPath,
    [compiler, "-p", "tsconfig.build.json", "--outDir", join(buildFolder, "dist")],
    { cwd: project, stdio: ["ignore", "inherit", "inherit"] },
  );
  copyFileSync(join(project, "package.json"), join(buildFolder, "package.json"));
}

function sidecarCommand({ documents, folder }: Workspace): readonly string[] {
  return [
    join(buildFolder, "dist/processes/cli/main.js"),
    "authorizer",
    ...["--documents", documents, "--addr", `unix://${join(folder, "authz.sock")}`],
    ...["--diagnostic-addr", "127.0.0.1:0", "--drain-seconds", "0"],
  ];
}

const bareCommand = ["-e", "require('node:net').createServer().listen(0, '127.0.0.1')"] as const;

/** Starts a process, lets it come to rest, and returns its memory in KiB. */
async function idle(args: readonly string[], run: Run) {
  const child = spawn(process.execPath, args, { stdio: "ignore" });
  await new Promise((resolve) => setTimeout(resolve, run.quick ? 1500 : 3000));
  if (child.pid === undefined || child.exitCode !== null) throw new Error(`${args[0]} ended`);
  const figures = {
    resident: memoryKib(child.pid, "VmRSS"),
    private: memoryKib(child.pid, "Private_Dirty"),
  };
  await stopProcess(child);
  return figures;
}
