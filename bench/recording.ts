import type { Options } from "./options.ts";

/** What the machine and the command line say of a run before it begins. */
export interface Circumstances
  extends Pick<Options, "record" | "force" | "quick" | "rows" | "help"> {
  /** Mean length of the run queue over the last minute. */
  readonly load: number;
  readonly cores: number;
}

/**
 * Returns why a run may not be recorded, with what to do about it, or null: what is recorded is quoted and
 * compared with, so it is a whole run at full length on a machine that has nothing else to do.
 */
export function refusalToRecord(run: Circumstances): string | null {
  if (!run.record || run.force || run.help) return null;
  const why = reasonAgainst(run);
  return why === null ? null : `not recorded: ${why}, or add --force to record all the same`;
}

function reasonAgainst({ quick, rows, load, cores }: Circumstances): string | null {
  if (quick) return "a quick run is not to be quoted; leave --quick out";
  if (rows.length > 0) return "the other rows would be lost; leave --rows out";
  if (load > cores) {
    return `the machine is busy (load ${load.toFixed(1)} on ${cores} cores); wait until it is idle`;
  }
  return null;
}
