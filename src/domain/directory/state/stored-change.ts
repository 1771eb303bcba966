import type { Reference } from "./kinds/kind-codec.ts";
import type { StateChange } from "./organization-state.ts";
import { type WrittenRow, writeRow } from "./stored-form.ts";

/** A change as the store takes it (control-plane 3.2). */
export type StoredChange =
  | {
      readonly type: "put";
      readonly object: Omit<WrittenRow, "references">;
      /** All of the object's; they replace those it had. */
      readonly references: readonly Reference[];
    }
  | { readonly type: "remove"; readonly id: string };

/** Returns a change that an operation makes as the store takes it. Writes the doc. */
export function storedChange(change: StateChange): StoredChange {
  if (change.type === "remove") return change;
  const { object } = change;
  if (object.kind === "poisoned" || object.kind === "opaque") {
    throw new TypeError("what cannot be read is never written");
  }
  const { references, ...row } = writeRow(object);
  return { type: "put", object: row, references };
}
