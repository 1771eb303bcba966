/**
 * Leftmost search of one piece of a glob in a text of code points: Knuth-Morris-Pratt for literal
 * pieces, bit-parallel (Shift-And) for pieces with `?`. Both are linear in the text; neither depends
 * on luck.
 */
export type Search =
  | { readonly type: "literal"; readonly points: readonly number[]; readonly failure: Int32Array }
  | {
      readonly type: "bits";
      readonly length: number;
      /** The positions of `?`, as bits of 32-bit words. */
      readonly anyMask: Int32Array;
      /** For characters at many positions the whole mask, for the others their positions. */
      readonly masks: ReadonlyMap<number, Int32Array>;
      readonly positions: ReadonlyMap<number, readonly number[]>;
      /** Reused: the running state, and `anyMask` with the positions of one character added. */
      readonly state: Int32Array;
      readonly patched: Int32Array;
    };

/** Returns the search for `points`, not empty, in which -1 fits every code point. */
export function createSearch(points: readonly number[]): Search {
  return points.includes(-1)
    ? createBits(points)
    : { type: "literal", points, failure: failureTable(points) };
}

/**
 * Returns the place behind the leftmost occurrence of the piece in `text[from, end)`, or -1.
 * Steps: at most twice the text for literal pieces; for pieces of p tokens with `?` at most
 * `ceil(p/32)` words a character, and t²/128 + t in all for a text of t characters.
 */
export function findPiece(
  search: Search,
  text: Uint32Array,
  from: number,
  end: number,
  work: { steps: number },
): number {
  return search.type === "literal"
    ? findLiteral(search.points, search.failure, text, from, end, work)
    : findBits(search, text, from, end, work);
}

// failure[k]: length of the longest proper prefix of the first k + 1 points that ends them as well.
function failureTable(points: readonly number[]): Int32Array {
  const failure = new Int32Array(points.length);
  let matched = 0;
  for (let i = 1; i < points.length; i++) {
    while (matched > 0 && points[i] !== points[matched]) matched = failure[matched - 1] ?? 0;
    if (points[i] === points[matched]) matched++;
    failure[i] = matched;
  }
  return failure;
}

function findLiteral(
  points: readonly number[],
  failure: Int32Array,
  text: Uint32Array,
  from: number,
  end: number,
  work: { steps: number },
): number {
  let matched = 0;
  for (let i = from; i < end; i++) {
    work.steps++;
    while (matched > 0 && text[i] !== points[matched]) {
      matched = failure[matched - 1] ?? 0;
      work.steps++;
    }
    if (text[i] === points[matched]) matched++;
    if (matched === points.length) return i + 1;
  }
  return -1;
}

type Bits = Extract<Search, { type: "bits" }>;

function createBits(points: readonly number[]): Bits {
  const words = Math.ceil(points.length / 32);
  const anyMask = new Int32Array(words);
  const positions = new Map<number, number[]>();
  points.forEach((point, position) => {
    if (point === -1) setBit(anyMask, position);
    else {
      const list = positions.get(point);
      if (list === undefined) positions.set(point, [position]);
      else list.push(position);
    }
  });
  // A mask of its own only where a character has more positions than the mask has words: at most 32
  // characters do, so the tables stay linear in the piece, however many characters it has.
  const masks = new Map<number, Int32Array>();
  for (const [point, list] of positions) {
    if (list.length <= words) continue;
    const mask = anyMask.slice();
    for (const position of list) setBit(mask, position);
    masks.set(point, mask);
    positions.delete(point);
  }
  return {
    type: "bits",
    length: points.length,
    anyMask,
    masks,
    positions,
    state: new Int32Array(words),
    patched: anyMask.slice(),
  };
}

/**
 * Bit k of the state is set after a character where tokens 0..k match the text that ends there. A
 * bit stands for a start of the piece; starts run from `from` to `lastStart`, so only the words of
 * that band can hold a bit, and only they are touched.
 */
function findBits(
  bits: Bits,
  text: Uint32Array,
  from: number,
  end: number,
  work: { steps: number },
): number {
  const { state, length } = bits;
  const topWord = state.length - 1;
  const topBit = (length - 1) & 31;
  const lastStart = end - length;
  if (lastStart < from) return -1;
  for (let at = from; at < end; at++) {
    const low = Math.max(0, (at - lastStart - 1) >> 5);
    const high = Math.min(topWord, (at - from) >> 5);
    // a word is stale until the band first reaches it
    if (((at - from) & 31) === 0 && (at - from) >> 5 === high) state[high] = 0;
    const point = text[at] ?? 0;
    const few = bits.positions.get(point);
    const mask = few === undefined ? (bits.masks.get(point) ?? bits.anyMask) : patch(bits, few);
    let carry = low === 0 && at <= lastStart ? 1 : 0;
    for (let word = low; word <= high; word++) {
      const before = state[word] ?? 0;
      state[word] = ((before << 1) | carry) & (mask[word] ?? 0);
      carry = before >>> 31;
      work.steps++;
    }
    if (few !== undefined) {
      for (const position of few) bits.patched[position >> 5] = bits.anyMask[position >> 5] ?? 0;
      work.steps += few.length;
    }
    if (high === topWord && (((state[topWord] ?? 0) >>> topBit) & 1) === 1) return at + 1;
  }
  return -1;
}

function patch(bits: Bits, positions: readonly number[]): Int32Array {
  for (const position of positions) setBit(bits.patched, position);
  return bits.patched;
}

function setBit(mask: Int32Array, position: number): void {
  mask[position >> 5] = (mask[position >> 5] ?? 0) | (1 << (position & 31));
}
