/** A seeded source of choices. The same seed and index give the same choices on every machine. */
export interface Random {
  /** Returns a whole number from 0 up to, not including, `end`. */
  int(end: number): number;
  /** Returns true with probability `p`. */
  chance(p: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** Returns between `min` and `max` entries of `list`, in any order, entries repeated or not. */
  some<T>(list: readonly T[], min: number, max: number): T[];
  /** Returns a copy of `list` in another order. */
  shuffle<T>(list: readonly T[]): T[];
}

/**
 * Returns the choices of case `index` under `seed`, independent of all other cases, so that one case
 * can be made again without those before it. The generator is Mulberry32 over a mixed seed.
 */
export function createRandom(seed: number, index: number): Random {
  let state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35)) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const random: Random = {
    int: (end) => Math.floor(next() * end),
    chance: (p) => next() < p,
    pick: (list) => {
      if (list.length === 0) throw new RangeError("nothing to pick from");
      return list[random.int(list.length)] as (typeof list)[number];
    },
    some: (list, min, max) =>
      Array.from({ length: min + random.int(max - min + 1) }, () => random.pick(list)),
    shuffle: (list) => {
      const copy = [...list];
      for (let i = copy.length - 1; i > 0; i--) {
        const j = random.int(i + 1);
        [copy[i], copy[j]] = [copy[j] as (typeof list)[number], copy[i] as (typeof list)[number]];
      }
      return copy;
    },
  };
  return random;
}
