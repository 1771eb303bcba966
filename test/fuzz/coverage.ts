import { type Profiler, Session } from "node:inspector";
import type { Guide } from "./loop.ts";

/**
 * Returns a guide by V8's precise block coverage of our own source. Coverage slows the code under
 * test, and each look walks every function: meant for runs of seconds and more.
 */
export function createCoverage(): Guide & { stop(): void } {
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  const known = new Set<string>();

  const look = (): string[] => {
    const blocks: string[] = [];
    // the counts are set back to nought by each look; within one thread the answer is there at once
    session.post("Profiler.takePreciseCoverage", (error, coverage) => {
      if (error !== null) throw error;
      for (const script of coverage.result) {
        if (script.url.includes("/src/")) blocks.push(...blocksThatRan(script));
      }
    });
    return blocks.filter((block) => !known.has(block));
  };
  return {
    countNew: () => look().length,
    learn() {
      const blocks = look();
      for (const block of blocks) known.add(block);
      return blocks.length;
    },
    stop: () => session.disconnect(),
  };
}

function blocksThatRan({ scriptId, functions }: Profiler.ScriptCoverage): string[] {
  return functions.flatMap(({ ranges }) =>
    ranges
      .filter(({ count }) => count > 0)
      .map(({ startOffset, endOffset }) => `${scriptId}:${startOffset}-${endOffset}`),
  );
}
