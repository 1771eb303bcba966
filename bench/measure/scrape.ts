import { readPage } from "../../test/fakes/page.ts";

/** What the authorizer itself counted. */
export interface CheckCounts {
  readonly checks: number;
  /** What the generator asked, filled in by whoever asked. */
  readonly asked: number;
  readonly decisionHits: number;
  readonly tokenHits: number;
}

/** Reads the counters of the authorizer whose diagnostics are served at `host:port`. */
export async function readCheckCounts(diagnostics: string): Promise<CheckCounts> {
  const text = await readPage(`http://${diagnostics}/metrics`);
  return {
    checks: sum(text, "mesh_iam_checks_total", ""),
    asked: 0,
    decisionHits: sum(text, "mesh_iam_decision_cache_requests_total", 'result="hit"'),
    tokenHits: sum(text, "mesh_iam_token_cache_requests_total", 'result="hit"'),
  };
}

function sum(text: string, name: string, label: string): number {
  let total = 0;
  for (const line of text.split("\n")) {
    if (!line.startsWith(`${name}{`) || !line.includes(label)) continue;
    total += Number(line.slice(line.lastIndexOf(" ") + 1));
  }
  return total;
}

/** Reads the revision in force. */
export async function readRevision(diagnostics: string): Promise<number> {
  const text = await readPage(`http://${diagnostics}/metrics`);
  const value = /^mesh_iam_bundle_revision (\S+)$/m.exec(text)?.[1];
  if (value === undefined) throw new Error("no revision in /metrics");
  return Number(value);
}
