import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";

/** A process of the bench's own that is measured; it speaks over IPC. */
export interface Child {
  readonly pid: number;
  /** The next message of the process, which is of the shape that its kind sends. */
  next<T>(): Promise<T>;
  send(message: unknown): void;
  stop(): Promise<void>;
}

const taskset = "/usr/bin/taskset";

/** True where measured processes get a core of their own, and the generator another. */
export function canPin(): boolean {
  return availableParallelism() >= 2 && existsSync(taskset);
}

/** Keeps this process, the generator, and what it starts without a core of its own, off core 0. */
export function pinGenerator(): void {
  if (canPin()) execFileSync(taskset, ["-pc", "1", String(process.pid)], { stdio: "ignore" });
}

/** Returns `command` as it is run on one core (performance 4.2), or as it is where that cannot be. */
export function pinned(command: readonly string[], core: number | null): string[] {
  return core === null || !canPin() ? [...command] : [taskset, "-c", String(core), ...command];
}

/** Starts `node` with `args` on core 0 (or where `core` says) and waits for nothing. */
export function startChild(
  args: readonly string[],
  options: { readonly core?: number | null; readonly nodeFlags?: readonly string[] } = {},
): Child {
  const { core = 0, nodeFlags = [] } = options;
  const [command = "", ...rest] = pinned([process.execPath, ...nodeFlags, ...args], core);
  const child = spawn(command, rest, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${command}`);
  return {
    pid,
    next: () => nextMessage(child, args),
    send: (message) => void child.send(message as object),
    stop: () => stopProcess(child),
  };
}

/** Starts a program on core 0; resolves with the first line that it prints. Of Go it uses one thread. */
export async function startProgram(
  words: readonly string[],
): Promise<{ readonly child: Child; readonly firstLine: string }> {
  const [command = "", ...rest] = pinned(words, 0);
  const env = { ...process.env, GOMAXPROCS: "1" };
  const child = spawn(command, rest, { stdio: ["ignore", "pipe", "inherit"], env });
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${command}`);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  child.once("exit", () => reject(new Error(`${words.join(" ")} ended`)));
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    const end = text.indexOf("\n");
    if (end >= 0) resolve(text.slice(0, end));
  });
  const firstLine = await promise;
  const none = () => Promise.reject(new Error("it speaks no IPC"));
  const started = { pid, next: none, send: none, stop: () => stopProcess(child) };
  return { child: started, firstLine };
}

function nextMessage<T>(child: ChildProcess, args: readonly string[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error(`${args.join(" ")} ended`));
    child.once("exit", ended);
    child.once("message", (message) => {
      child.off("exit", ended);
      resolve(message as T);
    });
  });
}

/** Ends a process in order (a profile is written then), or by force after five seconds. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once("exit", () => resolve());
  const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
  child.kill("SIGTERM");
  await promise;
  clearTimeout(timer);
}
