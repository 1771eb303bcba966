import type { Reference, StoredObject } from "../../../adapters/store/store.ts";
import {
  createReader,
  readRow,
  referencesOf,
} from "../../../domain/directory/state/stored-form.ts";

/** Returns what tells the references that a doc asks for; null for a doc that this binary cannot read. */
export function docReferences(): (object: StoredObject) => readonly Reference[] | null {
  const reader = createReader();
  return (row) => {
    const object = readRow(row, reader);
    return object.kind === "poisoned" || object.kind === "opaque" ? null : referencesOf(object);
  };
}
