import { type BuiltBundle, type BundleOptions, buildBundle } from "../../domain/bundle/build.ts";
import { sliceDirectory } from "../../domain/bundle/slice.ts";
import type { Directory } from "../../domain/directory/model.ts";
import { type Attempt, fail } from "./attempt.ts";

/** What is left to choose when documents are the whole history: epoch 1, everything covered. */
export type DocumentsBundleOptions = Omit<BundleOptions, "slice" | "epoch" | "coveredRevision">;

/**
 * Returns the bundle of what documents say, scoped to `services` (`{account}/{name}`; null: all);
 * `config-invalid` about `setting`, which names them, where one of them is not there, and
 * `document-invalid`. An object that cannot be encoded is a problem here, not a poison marker:
 * whoever writes documents can mend them.
 */
export function buildDocuments(
  whole: Directory,
  services: readonly string[] | null,
  setting: string,
  options: DocumentsBundleOptions,
): Attempt<BuiltBundle> {
  const sliced = sliceDirectory(whole, services);
  if (!sliced.ok) return fail("config-invalid", `${setting}: ${sliced.message}`);
  const { slice, directory } = sliced.value;
  const { revision } = options;
  const built = buildBundle(directory, { ...options, slice, epoch: 1, coveredRevision: revision });
  if (!built.ok) return fail("document-invalid", built.detail);
  const { poison } = built.bundle;
  if (poison.length === 0) return { ok: true, value: built.bundle };
  const lines = poison.map(({ kind, objectId, reason }) => `${kind} ${objectId}: ${reason}`);
  return fail("document-invalid", lines.join("\n"));
}
