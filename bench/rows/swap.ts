import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createWorkspace, quickSize, usualSize } from "../corpus/workspace.ts";
import { Load, twoByEight } from "../load/load.ts";
import { repeatedMessages } from "../load/messages.ts";
import { introduceTokens, verifyAnswers } from "../load/verify-answers.ts";
import { startChild } from "../measure/child.ts";
import { canReadCpu, memoryKib } from "../measure/cpu.ts";
import { figureOf, percentile, ratiosOf } from "../measure/figures.ts";
import { readRevision } from "../measure/scrape.ts";
import type { AuthorizerSettings, Served } from "../serve.ts";
import type { Group, RowResult, Run } from "./row.ts";

/*
 * What a change of policy costs the requests that are under way: documents are rewritten every other
 * second under a steady load below the knee, each time a new revision of the whole organization. Latency
 * counts from when a request was due (performance 4.3; DESIGN 8).
 */

export const swapGroup: Group = {
  name: "swaps",
  rows: [
    {
      name: "swap-latency",
      title: "p99 latency at 1,000 checks a second while bundles are swapped ÷ steady",
      unit: "ratio",
    },
    {
      name: "swap-memory",
      title: "peak resident memory while bundles are swapped ÷ steady",
      unit: "ratio",
    },
  ],
  measure,
};

const perSecond = 1000;

async function measure(run: Run): Promise<Map<string, RowResult>> {
  if (!canReadCpu()) {
    const skipped = { skipped: "memory is read from /proc (Linux)" };
    return new Map(swapGroup.rows.map(({ name }) => [name, skipped]));
  }
  const workspace = createWorkspace(run.quick ? quickSize : usualSize);
  const settings: AuthorizerSettings = {
    listener: "http2",
    documents: workspace.documents,
    address: "grpc://127.0.0.1:0",
    sets: [],
  };
  const child = startChild([
    join(import.meta.dirname, "../serve.ts"),
    "authorizer",
    JSON.stringify(settings),
  ]);
  try {
    const { address, diagnostics } = await child.next<Served>();
    await introduceTokens(address, workspace.corpus);
    const load = await Load.open(address, twoByEight, () => repeatedMessages(workspace.corpus));
    await load.run(run.quick ? 0.3 : 2);
    const steady: number[] = [];
    const swapping: number[] = [];
    const rest: number[] = [];
    const peak: number[] = [];
    const swapsEach = run.quick ? 1 : 2;
    const phaseSeconds = 2 * swapsEach;
    const rounds = run.quick ? 1 : 4;
    let revisions = await readRevision(diagnostics ?? "");
    for (let round = 1; round <= rounds; round++) {
      run.progress(`swaps: round ${round} of ${rounds}`);
      steady.push(percentile(await load.runAtRate(perSecond, phaseSeconds), 0.99));
      rest.push(memoryKib(child.pid, "VmRSS"));
      // Resets the peak that the kernel keeps (proc(5), clear_refs).
      writeFileSync(`/proc/${child.pid}/clear_refs`, "5");
      const timers = Array.from({ length: swapsEach }, (_, n) =>
        setTimeout(() => workspace.rewrite(), 2000 * n + 500),
      );
      swapping.push(percentile(await load.runAtRate(perSecond, phaseSeconds), 0.99));
      for (const timer of timers) clearTimeout(timer);
      peak.push(memoryKib(child.pid, "VmHWM"));
      const now = await readRevision(diagnostics ?? "");
      if (now <= revisions) throw new Error("no new revision came into force");
      revisions = now;
    }
    await verifyAnswers(address, workspace.corpus, true);
    load.close();
    return new Map([
      [
        "swap-latency",
        {
          rounds: ratiosOf(swapping, steady),
          details: {
            "ms steady": figureOf(steady).median,
            "ms while swapping": figureOf(swapping).median,
          },
        },
      ],
      [
        "swap-memory",
        {
          rounds: ratiosOf(peak, rest),
          details: {
            "MiB steady": figureOf(rest).median / 1024,
            "MiB at the peak": figureOf(peak).median / 1024,
          },
        },
      ],
    ]);
  } finally {
    await child.stop();
    workspace.remove();
  }
}
