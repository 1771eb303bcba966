/**
 * How a value is written into a doc and read back (control-plane 3.11): compact JSON, members at their
 * default left out, unknown members noticed. A codec is declared once and gives both directions, so that
 * they cannot drift apart.
 */
export interface Codec<T> {
  /** Returns the value, or throws `Unreadable`. */
  read(json: unknown, at: Step | null, reader: Reader): T;
  write(value: T): string;
  /** What is inside, for keeping members that are not known; null: nothing can be. */
  readonly inside: Inside | null;
}

export type Inside =
  | { readonly type: "record"; readonly members: ReadonlyMap<string, Codec<unknown>> }
  /** `key` is the member by which items are told apart; null: by their place. */
  | { readonly type: "list"; readonly item: Codec<unknown>; readonly key: string | null };

/** The way to a value, from the inside out. Made of links, so that reading joins no texts. */
export interface Step {
  readonly parent: Step | null;
  readonly name: string | number;
}

/** What one reading shares: texts that many docs repeat, and whether unknown members were met. */
export interface Reader {
  readonly texts: Map<string, string>;
  readonly tags: Map<string, ReadonlyMap<string, string>>;
  /** Lists of one id, by that id. */
  readonly lists: Map<string, readonly string[]>;
  foreign: boolean;
}

/** Ends the reading of one doc; never leaves `stored-form.ts`. */
export class Unreadable extends Error {
  readonly at: Step | null;

  constructor(at: Step | null, message: string) {
    super(message);
    this.at = at;
  }
}

export interface Member<T> {
  readonly codec: Codec<T>;
  readonly required: boolean;
  readonly fallback: T;
}

type Members = Readonly<Record<string, Member<unknown>>>;
type ValueOf<M extends Members> = {
  readonly [K in keyof M]: M[K] extends Member<infer T> ? T : never;
};

/** Returns a member that every doc has. */
export function need<T>(codec: Codec<T>): Member<T> {
  return { codec, required: true, fallback: undefined as T };
}

/** Returns a member that is left out where it is `fallback`, an empty list or an empty map. */
export function may<T>(codec: Codec<T>, fallback: T): Member<T> {
  return { codec, required: false, fallback };
}

/** Returns the codec of mappings with these members. */
export function record<const M extends Members>(members: M): Codec<ValueOf<M>> {
  const all = Object.entries(members).map(([name, member]) => ({
    name,
    key: `${JSON.stringify(name)}:`,
    ...member,
  }));
  const inside = new Map(all.map(({ name, codec }) => [name, codec]));
  return {
    read: (json, at, reader) => {
      if (typeof json !== "object" || json === null || Array.isArray(json)) {
        throw new Unreadable(at, "expected a mapping");
      }
      const values: Record<string, unknown> = {};
      let known = 0;
      for (const { name, codec, required, fallback } of all) {
        const found = Object.hasOwn(json, name)
          ? (json as Record<string, unknown>)[name]
          : undefined;
        if (found !== undefined) {
          known++;
          values[name] = codec.read(found, { parent: at, name }, reader);
        } else if (required) {
          throw new Unreadable(at, `expected the member \`${name}\``);
        } else values[name] = fallback;
      }
      if (Object.keys(json).length > known) reader.foreign = true;
      return values as ValueOf<M>;
    },
    write: (value) => {
      let text = "";
      for (const { name, key, codec, required, fallback } of all) {
        const one = (value as Record<string, unknown>)[name];
        if (!required && isDefault(one, fallback)) continue;
        text += `${text === "" ? "" : ","}${key}${codec.write(one)}`;
      }
      return `{${text}}`;
    },
    inside: { type: "record", members: inside },
  };
}

function isDefault(value: unknown, fallback: unknown): boolean {
  if (value === fallback) return true;
  if (value instanceof Map) return value.size === 0;
  return Array.isArray(value) && value.length === 0 && Array.isArray(fallback);
}

/** Returns the codec of lists; items with the same `key` are the same item of another revision. */
export function listOf<T>(item: Codec<T>, key: string | null = null): Codec<readonly T[]> {
  return {
    read: (json, at, reader) => {
      if (!Array.isArray(json)) throw new Unreadable(at, "expected a list");
      return json.map((one: unknown, name) => item.read(one, { parent: at, name }, reader));
    },
    write: (values) => `[${values.map((value) => item.write(value)).join(",")}]`,
    inside: item.inside === null ? null : { type: "list", item: item as Codec<unknown>, key },
  };
}

/** Returns the codec of `codec`'s values and null. */
export function orNull<T>(codec: Codec<T>): Codec<T | null> {
  return {
    read: (json, at, reader) => (json === null ? null : codec.read(json, at, reader)),
    write: (value) => (value === null ? "null" : codec.write(value)),
    inside: codec.inside,
  };
}

export const text: Codec<string> = {
  read: (json, at) => {
    if (typeof json !== "string") throw new Unreadable(at, "expected a text");
    return json;
  },
  write: (value) => JSON.stringify(value),
  inside: null,
};

/** A text that many objects have: kept once in memory. */
export const shared: Codec<string> = {
  read: (json, at, { texts }) => {
    const value = text.read(json, at, { texts } as Reader);
    const known = texts.get(value);
    if (known !== undefined) return known;
    texts.set(value, value);
    return value;
  },
  write: (value) => JSON.stringify(value),
  inside: null,
};

const sharedList = listOf(shared);

/** Ids of what an object refers to. Most have one, which many share: such a list is kept once. */
export const ids: Codec<readonly string[]> = {
  read: (json, at, reader) => {
    const list = sharedList.read(json, at, reader);
    const [only, ...others] = list;
    if (only === undefined || others.length > 0) return list;
    const known = reader.lists.get(only);
    if (known !== undefined) return known;
    reader.lists.set(only, list);
    return list;
  },
  write: (value) => sharedList.write(value),
  inside: null,
};

export const flag: Codec<boolean> = {
  read: (json, at) => {
    if (typeof json !== "boolean") throw new Unreadable(at, "expected true or false");
    return json;
  },
  write: String,
  inside: null,
};

/** Whole numbers from 0; times in milliseconds and revisions are safe integers (STO-70). */
export const whole: Codec<number> = {
  read: (json, at) => {
    if (typeof json !== "number" || !Number.isSafeInteger(json) || json < 0) {
      throw new Unreadable(at, "expected a whole number");
    }
    return json;
  },
  write: String,
  inside: null,
};

/** Returns the codec of one out of `words`. */
export function word<const W extends string>(...words: readonly W[]): Codec<W> {
  return {
    read: (json, at) => {
      const found = words.find((one) => one === json);
      if (found === undefined) throw new Unreadable(at, `expected one of ${words.join(", ")}`);
      return found;
    },
    write: (value) => JSON.stringify(value),
    inside: null,
  };
}

/** Tags and labels: a mapping from text to text, sorted by key. Equal ones are one in memory. */
export const tags: Codec<ReadonlyMap<string, string>> = {
  read: (json, at, reader) => {
    if (typeof json !== "object" || json === null || Array.isArray(json)) {
      throw new Unreadable(at, "expected a mapping");
    }
    const entries = Object.entries(json as Record<string, unknown>).map(
      ([name, value]) => [name, text.read(value, { parent: at, name }, reader)] as const,
    );
    const made = new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
    const key = tags.write(made);
    const known = reader.tags.get(key);
    if (known !== undefined) return known;
    reader.tags.set(key, made);
    return made;
  },
  write: (value) => {
    const entries = [...value].map(([key, one]) => `${JSON.stringify(key)}:${JSON.stringify(one)}`);
    return `{${entries.join(",")}}`;
  },
  inside: null,
};

export const noTags: ReadonlyMap<string, string> = new Map();
