import { build, type ReverseWriter } from "./wire-writer.ts";

/**
 * An entry of `google.protobuf.Struct.fields` with a string value, in two parts: the key is encoded once
 * for all answers, the value with each. Its tag is that of field 1, a map entry.
 */
export interface StructKey {
  readonly encoded: Buffer;
}

/** Returns the key of entries named `name`. */
export function structKey(name: string): StructKey {
  return { encoded: build((writer) => writer.text(1, name)) };
}

/** Writes the entry of `key` with `value`. */
export function writeStructEntry(
  writer: ReverseWriter,
  { encoded }: StructKey,
  value: string,
): void {
  const mark = writer.length;
  writer.text(3, value); // Value.string_value
  writer.delimit(2, mark);
  writer.bytes(encoded);
  writer.delimit(1, mark);
}

/** Returns a whole entry, for values that many answers share. */
export function structEntry(name: string, value: string): Buffer {
  return build((writer) => writeStructEntry(writer, structKey(name), value));
}

/** Returns what gives the entry of each word of a closed set, made when first asked for. */
export function structEntries<W extends string>(name: string): (word: W) => Buffer {
  const known = new Map<W, Buffer>();
  return (word) => {
    const found = known.get(word);
    if (found !== undefined) return found;
    const made = structEntry(name, word);
    known.set(word, made);
    return made;
  };
}
