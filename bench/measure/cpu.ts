import { existsSync, readdirSync, readFileSync } from "node:fs";

/**
 * Returns the CPU time of a process with all its threads, user and system, in microseconds, as the
 * scheduler counts it (`schedstat`, nanoseconds); where the kernel has none, as ticks of 10 ms.
 * Linux only: see `canReadCpu`. Source: proc(5); Documentation/scheduler/sched-stats.
 */
export function cpuUs(pid: number): number {
  if (!existsSync(`/proc/${pid}/schedstat`)) return tickedCpuUs(pid);
  let ns = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    ns += Number(readTask(`/proc/${pid}/task/${task}/schedstat`).split(" ")[0]);
  }
  return ns / 1000;
}

export function canReadCpu(): boolean {
  return existsSync("/proc/self/stat");
}

function readTask(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "0"; // a thread that ended since it was listed
  }
}

function tickedCpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The name may hold blanks; the fields count from behind its closing parenthesis.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** Returns memory figures of a process in KiB: `VmRSS`, `VmHWM` of status; `Private_Dirty` of smaps_rollup. */
export function memoryKib(pid: number, key: "VmRSS" | "VmHWM" | "Private_Dirty"): number {
  const file = key === "Private_Dirty" ? "smaps_rollup" : "status";
  const text = readFileSync(`/proc/${pid}/${file}`, "latin1");
  const found = new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(text)?.[1];
  if (found === undefined) throw new Error(`no ${key} of process ${pid}`);
  return Number(found);
}
