import type { CarrierPath } from "./carrier-path.ts";

/** What a GET came to. `detail` holds no byte that the other side sent beyond a status. */
export type Fetched =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | {
      readonly ok: false;
      /** The label it is counted under. */
      readonly result: "network" | "auth";
      readonly detail: string;
      /** How long the other side asked to be left alone; null when it did not. */
      readonly retryAfterMs: number | null;
    };

/** Whatever brings bytes by their path: untrusted, and bounded by whoever asks. */
export interface Carrier {
  /**
   * Returns at most `maxBytes`. Never rejects and always ends; a declared length above the bound is
   * refused before anything is read. Follows no redirect and takes no content coding.
   */
  get(path: CarrierPath, maxBytes: number): Promise<Fetched>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

/** Returns a failed fetch. */
export function failed(
  result: "network" | "auth",
  detail: string,
  retryAfterMs: number | null = null,
): Fetched & { readonly ok: false } {
  return { ok: false, result, detail, retryAfterMs };
}
