/** The two spellings of a closed list: words in the model, numbers in the messages. */
export interface Words<W extends string, N extends number> {
  readonly first: W;
  numberOf(word: W): N;
  /** Undefined for 0, which says "unspecified", and for a number of a newer schema. */
  wordOf(number: number): W | undefined;
}

/** Returns both directions of `numbers`; none of them is 0. A word without a number fails to compile. */
export function createWords<W extends string, N extends number>(
  numbers: Readonly<Record<W, N>>,
): Words<W, N> {
  const entries = Object.entries(numbers) as [W, N][];
  const byNumber = new Map<number, W>(entries.map(([word, number]) => [number, word]));
  const [[first]] = entries as [[W, N]];
  return {
    first,
    numberOf: (word) => numbers[word],
    wordOf: (number) => byNumber.get(number),
  };
}
