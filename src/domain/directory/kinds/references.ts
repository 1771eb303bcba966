import { compareText } from "../compare-text.ts";
import { type Placed, placed, text } from "../shape/scalars.ts";
import type { Header } from "./header.ts";
import type { NamedKind, World } from "./world.ts";

/** A name in the own account, or an ARN (FILE-4). */
export const reference = placed(text("a name or an ARN", /^[!-~]+$/, 2048));

/** Returns the ids of what `references` name, sorted and without repetition. */
export function referAll(
  world: World,
  kind: NamedKind,
  header: Header,
  references: readonly Placed<string>[],
): readonly string[] {
  const ids = references.map((one) => world.refer(kind, header.account, one));
  return [...new Set(ids.filter((id) => id !== null))].sort(compareText);
}

/** Reports the first item above the quota `max`. */
export function checkCount(
  world: World,
  items: readonly Placed<unknown>[],
  max: number,
  what: string,
): void {
  const first = items[max];
  if (first === undefined) return;
  world.refuse(
    first.place,
    "QUOTA_EXCEEDED",
    `expected at most ${max} ${what}, got ${items.length}`,
  );
}

/** Returns a lookup from an entity's id to its name, for writing references. */
export function namesById(
  entities: readonly { readonly id: string; readonly name: string }[],
): (id: string) => string {
  const names = new Map(entities.map(({ id, name }) => [id, name]));
  return (id) => names.get(id) ?? id;
}
