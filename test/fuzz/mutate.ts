import type { Random } from "../property/random.ts";
import { bytesOf } from "./target.ts";

/** The size that step laws are stated for. */
export const maxInputBytes = 8_192;

/** Bytes where parsers change their mind. */
const edges = [0, 1, 9, 10, 13, 0x1f, 0x20, 0x22, 0x25, 0x2a, 0x2f, 0x3a, 0x3f, 0x5c, 0x7f, 0x80];
const wideEdges = [0xc0, 0xc2, 0xe2, 0xed, 0xef, 0xf0, 0xf4, 0xff];
const bytes = [...edges, ...wideEdges];

/**
 * Returns a changed copy of one of `seeds`, at most `maxInputBytes` long: a few small edits, words of
 * the language put in, pieces doubled, taken from elsewhere or repeated until the input is full.
 */
export function mutate(
  seeds: readonly Uint8Array[],
  words: readonly string[],
  random: Random,
): Uint8Array {
  let data = random.pick(seeds);
  for (let edits = 1 + random.int(4); edits > 0; edits--) {
    data = edit(data, seeds, words, random);
  }
  return data.length > maxInputBytes ? data.slice(0, maxInputBytes) : data;
}

function edit(
  data: Uint8Array,
  seeds: readonly Uint8Array[],
  words: readonly string[],
  random: Random,
): Uint8Array {
  const at = random.int(data.length + 1);
  const length = Math.min(data.length - at, 1 + random.int(random.chance(0.8) ? 4 : 64));
  const piece = data.subarray(at, at + length);
  switch (random.int(9)) {
    case 0: // one bit
      return replaced(data, at, 1, [(data[at] ?? 0) ^ (1 << random.int(8))]);
    case 1: // one byte
      return replaced(data, at, 1, [random.chance(0.5) ? random.pick(bytes) : random.int(256)]);
    case 2: // nothing in its place
      return replaced(data, at, length, []);
    case 3: // a byte more
      return replaced(data, at, 0, [random.pick(bytes)]);
    case 4: // a piece once more, elsewhere
      return replaced(data, random.int(data.length + 1), 0, piece);
    case 5: {
      // a piece over and over, rarely until nothing more fits: what growth is found with
      const room = maxInputBytes - data.length;
      const most = random.chance(0.1) ? room : Math.min(room, 256);
      return replaced(data, at, 0, repeated(piece, most));
    }
    case 6: {
      // the end of another seed
      const other = random.pick(seeds);
      return joined(data.subarray(0, at), other.subarray(random.int(other.length + 1)));
    }
    case 7: // a number a little off
      return replaced(data, at, 1, [(data[at] ?? 0) + (random.chance(0.5) ? 1 : -1)]);
    default:
      if (words.length === 0) return replaced(data, at, 0, [random.int(256)]);
      return replaced(data, at, random.chance(0.5) ? length : 0, bytesOf(random.pick(words)));
  }
}

function replaced(
  data: Uint8Array,
  at: number,
  length: number,
  piece: Uint8Array | readonly number[],
): Uint8Array {
  const inserted = piece instanceof Uint8Array ? piece : Uint8Array.from(piece);
  return joined(data.subarray(0, at), inserted, data.subarray(at + length));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function repeated(piece: Uint8Array, most: number): Uint8Array {
  const times = piece.length === 0 || most <= 0 ? 0 : Math.floor(most / piece.length);
  const whole = new Uint8Array(times * piece.length);
  for (let i = 0; i < times; i++) whole.set(piece, i * piece.length);
  return whole;
}
