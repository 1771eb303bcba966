/**
 * One function under fuzz. `fuzz` takes any bytes and returns; whatever it throws is a finding. Beside
 * "no crash" a target says what must hold of the answer: that it reads again the same, that a second
 * implementation agrees, that the work stayed within its law. The signature is Jazzer's.
 */
export interface Target {
  /** Its name on the command line and the name of its folder of seeds. */
  readonly name: string;
  /** Its row in the security reference, 11.6; null for what has none there. */
  readonly id: string | null;
  readonly about: string;
  /** Words of the language that mutations put in. */
  readonly words: readonly string[];
  /** Inputs that are made rather than kept as files, for instance signed or binary ones. */
  readonly seeds?: () => readonly Uint8Array[];
  fuzz(data: Uint8Array): void | Promise<void>;
}

/** Throws where `holds` is false: the target's own law is broken. */
export function must(holds: boolean, law: string): asserts holds {
  if (!holds) throw new Error(`broken: ${law}`);
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Returns the text of `data` as UTF-8, U+FFFD for what is none. */
export function textOf(data: Uint8Array): string {
  return decoder.decode(data);
}

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/**
 * Returns the text of `data` with one UTF-16 unit for two bytes where the first byte is 0xff, so that
 * lone surrogates and everything else that no UTF-8 spells can be reached; else as UTF-8.
 */
export function unitsOf(data: Uint8Array): string {
  if (data[0] !== 0xff) return textOf(data);
  let text = "";
  for (let at = 1; at + 1 < data.length; at += 2) {
    text += String.fromCharCode(((data[at] ?? 0) << 8) | (data[at + 1] ?? 0));
  }
  return text;
}

/** Returns `data` cut at its zero bytes into at most `count` pieces, missing ones empty. */
export function pieces(data: Uint8Array, count: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  let rest = data;
  while (found.length < count - 1) {
    const zero = rest.indexOf(0);
    if (zero < 0) break;
    found.push(rest.subarray(0, zero));
    rest = rest.subarray(zero + 1);
  }
  found.push(rest);
  while (found.length < count) found.push(new Uint8Array());
  return found;
}
