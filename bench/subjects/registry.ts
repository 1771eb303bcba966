import type { Subject } from "./subject.ts";

/** How a subject is made; its code is loaded in the process that measures it, and there alone. */
type Make = () => Promise<Subject>;

/** Every subject of the micro rows by name. */
export const subjects: Readonly<Record<string, Make>> = {
  "decode-ours": async () => (await import("./codec.ts")).decodeOurs(),
  "decode-protobuf-es": async () => (await import("./codec.ts")).decodeTheirs(),
  "encode-ours": async () => (await import("./codec.ts")).encodeOurs(),
  "encode-protobuf-es": async () => (await import("./codec.ts")).encodeTheirs(),
  cedar: async () => (await import("./cedar.ts")).cedarEvaluation(),
  "evaluate-10": async () => (await import("./evaluation.ts")).evaluationWith(10),
  "evaluate-10000": async () => (await import("./evaluation.ts")).evaluationWith(10_000),
  "evaluate-100000": async () => (await import("./evaluation.ts")).evaluationWith(100_000),
  "implicit-deny-1": async () => (await import("./evaluation.ts")).implicitDenyWith(1),
  "implicit-deny-100": async () => (await import("./evaluation.ts")).implicitDenyWith(100),
  "statement-heap": async () => (await import("./evaluation.ts")).statementHeap(4000),
  glob: async () => (await import("./glob.ts")).worstGlob(),
  scan: async () => (await import("./caches.ts")).scanAlone(),
  "token-hit": async () => await (await import("./caches.ts")).tokenHit(),
  "token-verified": async () => await (await import("./caches.ts")).tokenVerified(),
  "decision-hit": async () => await (await import("./caches.ts")).decisionHit(),
  "decision-made": async () => await (await import("./caches.ts")).decisionMade(),
  "metrics-ours": async () => (await import("./metrics.ts")).metricsOurs(),
  "metrics-prom-client": async () => (await import("./metrics.ts")).metricsTheirs(),
};
