import { type ChildProcess, fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { applied, type Mutant, mutantsOf } from "./mutants.ts";
import { type Copy, createCopy } from "./unit-tests.ts";
import type { Answered, Asked } from "./worker.ts";

/** A mutant that takes more of the processor never ends: an honest check takes a second of it. */
const maxCpuMs = 10_000;
const lookEveryMs = 2_000;
/** Modules are never unloaded: a worker that has loaded this many graphs makes room for a new one. */
const maxMutants = 150;

export type Killer = "corpus" | "random" | "throws" | "timeout" | "unit tests";

/** Tells of one mutant after the other who kills it. */
export interface Judge {
  /** Returns who killed the mutant of the file at `path`, null where nobody did. */
  killerOf(path: string, mutant: Mutant): Promise<Killer | null>;
  /** Throws where the unit tests of the file at `path` killed a mutant and fail without one, too. */
  prove(path: string): void;
  close(): void;
}

/** Returns a judge over the tree at `root`, with a worker of its own and a copy for the unit tests. */
export function createJudge(root: string): Judge {
  let worker: ChildProcess | null = null;
  let judged = 0;
  let copy: Copy | null = null;
  const killing = new Set<string>();

  async function startWorker(): Promise<ChildProcess> {
    worker?.kill();
    judged = 0;
    const started = fork(join(import.meta.dirname, "worker.ts"), {
      execArgv: ["--disable-warning=ExperimentalWarning"],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    if ((await answerOf(started)) !== "ready") throw new Error("the worker does not start");
    worker = started;
    return started;
  }

  async function inProcess(asked: Asked): Promise<Killer | null> {
    const current = worker === null || judged++ >= maxMutants ? await startWorker() : worker;
    const answer = answerOf(current);
    current.send(asked);
    const killer = await answer;
    if (killer === "timeout") {
      current.kill("SIGKILL");
      worker = null;
    }
    return killer === "ready" ? null : killer;
  }

  return {
    async killerOf(path, mutant) {
      const killer = await inProcess({ path, mutant });
      if (killer !== null) return killer;
      const { code } = mutantsOf(path, readFileSync(join(root, path), "utf8"));
      copy ??= createCopy();
      if (!copy.fails(path, applied(code, mutant))) return null;
      killing.add(path);
      return "unit tests";
    },
    prove(path) {
      if (killing.has(path)) copy?.prove(path);
    },
    close() {
      worker?.kill();
      copy?.remove();
    },
  };
}

function answerOf(worker: ChildProcess): Promise<Answered["killer"] | "timeout"> {
  return new Promise((settle) => {
    const begun = cpuMsOf(worker);
    const done = (killer: Answered["killer"] | "timeout"): void => {
      clearInterval(timer);
      worker.off("message", told);
      worker.off("exit", ended);
      settle(killer);
    };
    const told = (message: unknown): void => done((message as Answered).killer);
    const ended = (): void => done("timeout");
    // by its processor time: on a busy machine a clock would kill what is only slow
    const timer = setInterval(() => {
      if (cpuMsOf(worker) - begun > maxCpuMs) ended();
    }, lookEveryMs);
    worker.once("message", told);
    worker.once("exit", ended);
  });
}

/** Returns what the process has taken of the processor, from Linux's account of it (proc(5)). */
function cpuMsOf({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  const ticksPerSecond = 100;
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}
