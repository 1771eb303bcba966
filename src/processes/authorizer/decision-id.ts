/** Bytes of a decision id: fixed, so that a static denial can be patched in place (R9, R10). */
export const decisionIdLength = 28;

/**
 * Returns a generator of decision ids: 16 hex digits drawn once per process and a counter of 11,
 * with `-` between. Unique per process for 2^44 checks; says nothing about when or for whom.
 * No randomness is drawn per Check.
 */
export function createDecisionIds(random: (bytes: number) => Uint8Array): () => string {
  const prefix = Buffer.from(random(8)).toString("hex");
  let count = 0;
  return () => {
    count++;
    return `${prefix}-${count.toString(16).padStart(11, "0")}`;
  };
}
