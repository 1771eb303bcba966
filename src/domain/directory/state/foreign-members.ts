import { type JsonValue, parseJson } from "../../../iam/policy/json.ts";
import type { Codec } from "./codec.ts";

const limits = { maxBytes: 4_194_304, maxDepth: 32, characters: "any" } as const;

/**
 * Returns `fresh` with the members of `old` in it that `codec` does not know, at every depth: what a
 * newer release wrote survives a rewrite by an older one (STO-53). Items of lists are matched by the key
 * that their codec names, else by their place. Both texts are JSON that was read before; what is not
 * comes back as `fresh`.
 */
export function keepForeign(codec: Codec<unknown>, fresh: string, old: string): string {
  const now = parseJson(fresh, limits);
  const before = parseJson(old, limits);
  if (!now.ok || !before.ok) return fresh;
  const source = (text: string, value: JsonValue) => text.slice(value.position.offset, value.end);

  const merge = (known: Codec<unknown> | undefined, value: JsonValue, past: JsonValue): string => {
    const inside = known?.inside ?? null;
    if (inside?.type === "record" && value.type === "object" && past.type === "object") {
      const members = value.entries.map(({ key, value: one }) => {
        const other = past.entries.find((entry) => entry.key === key)?.value;
        const codecOfMember = inside.members.get(key);
        const kept = other === undefined ? source(fresh, one) : merge(codecOfMember, one, other);
        return `${JSON.stringify(key)}:${kept}`;
      });
      const foreign = past.entries
        .filter(({ key }) => !inside.members.has(key))
        .map(({ key, value: one }) => `${JSON.stringify(key)}:${source(old, one)}`);
      return `{${[...members, ...foreign].join(",")}}`;
    }
    if (inside?.type === "list" && value.type === "array" && past.type === "array") {
      const items = value.items.map((one, index) => {
        const other = counterpart(one, index, past.items, inside.key);
        return other === undefined ? source(fresh, one) : merge(inside.item, one, other);
      });
      return `[${items.join(",")}]`;
    }
    return source(fresh, value);
  };
  return merge(codec, now.value, before.value);
}

function counterpart(
  item: JsonValue,
  index: number,
  past: readonly JsonValue[],
  key: string | null,
): JsonValue | undefined {
  if (key === null) return past[index];
  const name = keyOf(item, key);
  return past.find((one) => keyOf(one, key) === name);
}

function keyOf(item: JsonValue, key: string): string | null {
  if (item.type !== "object") return null;
  const found = item.entries.find((entry) => entry.key === key)?.value;
  return found?.type === "string" ? found.value : null;
}
