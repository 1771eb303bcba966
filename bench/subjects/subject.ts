/**
 * What is measured in a process of its own, so that no other subject trains its inline caches
 * (performance 4.5).
 */
export type Subject =
  | {
      readonly type: "loop";
      /** One call of the code in question, its inputs rotating; the number keeps it from being removed. */
      readonly call: () => number;
    }
  | {
      readonly type: "figure";
      /** One measurement that the subject takes itself: milliseconds, bytes. */
      readonly read: () => number;
    };

/** Returns `values` one after the other, round and round. */
export function rotate<T>(values: readonly T[]): () => T {
  let n = 0;
  return () => {
    const value = values[n] as T;
    n = n + 1 === values.length ? 0 : n + 1;
    return value;
  };
}
