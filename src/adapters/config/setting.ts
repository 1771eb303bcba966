import type { Kind } from "./kinds.ts";

/** One setting: its kind, its default, and the sentence that documents it. */
export interface Setting<T> {
  readonly type: "setting";
  readonly kind: Kind<T>;
  readonly default: T;
  /** Markdown, a sentence or two: effect, sensible range, what an extreme costs. */
  readonly summary: string;
}

/** Settings that stand under one key. */
export interface Group<M extends Members = Members> {
  readonly type: "group";
  readonly summary: string;
  readonly members: M;
}

// biome-ignore lint/suspicious/noExplicitAny: a table holds settings of every value type, and `Kind` is invariant
export type AnySetting = Setting<any>;

export interface Members {
  readonly [key: string]: AnySetting | Group;
}

/** The frozen, complete value of a table: every setting with its default applied. */
export type ValueOf<M extends Members> = {
  readonly [K in keyof M]: M[K] extends Setting<infer T>
    ? T
    : M[K] extends Group<infer Inner>
      ? ValueOf<Inner>
      : never;
};

/** Returns one line of a table. */
export function setting<T>(kind: Kind<T>, value: NoInfer<T>, summary: string): Setting<T> {
  return Object.freeze({ type: "setting", kind, default: Object.freeze(value), summary });
}

/** Returns settings under one key. */
export function group<const M extends Members>(summary: string, members: M): Group<M> {
  return Object.freeze({ type: "group", summary, members });
}

/** A setting with the names it goes by, all derived from its place in the table. */
export interface NamedSetting {
  /** `bundle.rootFingerprints`, as in a file and behind `--set` */
  readonly key: string;
  /** `--bundle-root-fingerprints` */
  readonly flag: string;
  /** `MESH_IAM_BUNDLE_ROOT_FINGERPRINTS` */
  readonly env: string;
  readonly setting: AnySetting;
}

/** Returns every setting of `members` in the order of the table, with its names. */
export function namedSettings(members: Members, prefix = ""): NamedSetting[] {
  return Object.entries(members).flatMap(([name, entry]) => {
    const key = prefix + name;
    if (entry.type === "group") return namedSettings(entry.members, `${key}.`);
    const words = key.replaceAll(".", "-").replace(/[A-Z]/g, (letter) => `-${letter}`);
    return [
      {
        key,
        flag: `--${words.toLowerCase()}`,
        env: `MESH_IAM_${words.toUpperCase().replaceAll("-", "_")}`,
        setting: entry,
      },
    ];
  });
}
