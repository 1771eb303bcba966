import type { Carrier, Fetched } from "./carrier.ts";
import type { ReportedPosition } from "./fleet.ts";
import type { HeadNews, OwnReport } from "./watch-messages.ts";

/** What a stream brings next. After `ended` there is nothing more. */
export type WatchNews =
  | { readonly type: "head"; readonly news: HeadNews }
  | { readonly type: "go-away"; readonly retryAfterMs: number }
  | ({ readonly type: "ended" } & Omit<Fetched & { readonly ok: false }, "ok">);

/** How a sidecar opens a stream. */
export interface WatchQuestion {
  readonly org: string;
  readonly instance: string;
  /** What is active, so that only what it lacks is sent; null at the first start. */
  readonly have: ReportedPosition | null;
  readonly keySet: number;
}

export interface WatchStream {
  /** Resolves when there is news. Never rejects; ends with its connection at the latest. */
  next(): Promise<WatchNews>;
}

/** One connection to a control plane: a stream, and fetches and reports beside it. Not reopened. */
export interface WatchConnection extends Carrier {
  watch(question: WatchQuestion): WatchStream;
  /** Returns whether the report arrived. Never rejects, and always ends. */
  report(report: OwnReport): Promise<boolean>;
}

/** Opens connections. The address and the files of a peer are read anew for each. */
export interface Dialer {
  /** Returns a connection that may still be under way, or why there is none. Never rejects. */
  dial(): Promise<
    { readonly ok: true; readonly connection: WatchConnection } | (Fetched & { readonly ok: false })
  >;
}
