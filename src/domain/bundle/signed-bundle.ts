/**
 * A bundle as bytes, the same on every carrier (control-plane 2.4). Untrusted until verified; the maps
 * and arrays belong to whoever made them and are not changed.
 */
export interface SignedBundle {
  /** `Signed` over a head. */
  readonly head: Uint8Array;
  /** `Signed` over key sets, by number. */
  readonly keySets: ReadonlyMap<number, Uint8Array>;
  /** One zstd frame each, by the lower-case hex digest of what it holds. */
  readonly objects: ReadonlyMap<string, Uint8Array>;
}
