import { readPage } from "../../test/fakes/page.ts";

/** What the authorizer itself counted. */
export interface CheckCounts {
  readonly checks: number;
  /** What the generator asked, filled in by whoever asked. */
  readonly asked: number;
  readonly decisionHits: number;
  readonly tokenHits: number;
}

/**
 * Returns what came to pass between two readings of the server called `name`. Throws unless it counted
 * just the Checks that were asked of it (performance 4.4, 2).
 */
export function countsBetween(name: string, from: CheckCounts, to: CheckCounts): CheckCounts {
  const checks = to.checks - from.checks;
  const asked = to.asked - from.asked;
  if (checks !== asked) throw new Error(`${name} counted ${checks} checks, ${asked} were asked`);
  return {
    checks,
    asked,
    decisionHits: to.decisionHits - from.decisionHits,
    tokenHits: to.tokenHits - from.tokenHits,
  };
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
