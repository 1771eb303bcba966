import type { HeaderMutation } from "../../../../adapters/envoy/check-reply.ts";

/** Headers in order, names lower-case, repeated ones apart. */
export type Headers = readonly (readonly [name: string, value: string])[];

/** Returns the pairs of Node's flat list, names lower-cased. */
export function pairsOf(raw: readonly string[]): Headers {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    pairs.push([(raw[at] ?? "").toLowerCase(), raw[at + 1] ?? ""]);
  }
  return pairs;
}

/** Returns names with their values: one as text, several as a list, in order. */
export function toObject(headers: Headers): Record<string, string | string[]> {
  const all: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of headers) {
    const known = all[name];
    if (known === undefined) all[name] = value;
    else if (typeof known === "string") all[name] = [known, value];
    else known.push(value);
  }
  return all;
}

/**
 * Returns `headers` after an allow: set, then appended, then removed, so that a name in both lists is
 * gone. What is set replaces all values of its name; what is appended joins the first one there is
 * and is nothing where there is none. Source: envoy-ext-authz 1.2, 2.4.
 */
export function mutate(
  headers: Headers,
  set: readonly HeaderMutation[],
  remove: readonly string[],
): Headers {
  const replaced = new Set(set.filter(({ append }) => !append).map(({ name }) => name));
  const result = [
    ...headers.filter(([name]) => !replaced.has(name)),
    ...set.filter(({ append }) => !append).map(({ name, value }) => [name, value] as const),
  ];
  for (const { name, value, append } of set) {
    const at = append ? result.findIndex(([known]) => known === name) : -1;
    if (at >= 0) result[at] = [name, `${result[at]?.[1]},${value}`];
  }
  const removed = new Set(remove);
  return result.filter(([name]) => !removed.has(name));
}
