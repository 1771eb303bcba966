import { join } from "node:path";
import type { BuiltBundle } from "../../domain/bundle/build.ts";
import type { BundleLimits } from "../../domain/bundle/limits.ts";
import type { DocumentOptionsInput } from "../../domain/directory/document-options.ts";
import {
  type DocumentProblem,
  formatDocumentProblem,
} from "../../domain/directory/document-problem.ts";
import { MeshIamError } from "../../iam/error.ts";
import { type Attempt, fail } from "./attempt.ts";
import { buildDocuments } from "./build-documents.ts";
import { headName, objectPath, objectsName } from "./bundle-folder.ts";
import { type Disk, errorCodeOf } from "./disk.ts";
import { readDocumentFolder } from "./document-folder.ts";
import { replaceFile, replaceFileDurably } from "./durable-file.ts";

export interface BuildFolderOptions {
  /** The folder of documents. */
  readonly documents: string;
  /** Where the bundle goes; made if it is absent. */
  readonly out: string;
  /** `--service`, each `{account}/{name}`; null: everything, slice `all`. */
  readonly services: readonly string[] | null;
  /** `--revision`; null: the seconds since 1970. */
  readonly revision: number | null;
  readonly nowMs: number;
  /** `--valid-for`; 7 days by default. */
  readonly validForMs?: number;
  readonly reading?: DocumentOptionsInput;
  readonly limits?: BundleLimits;
}

export interface BuiltFolder {
  readonly bundle: BuiltBundle;
  /** Findings about documents that were accepted. */
  readonly findings: readonly DocumentProblem[];
}

const sevenDaysMs = 7 * 86_400_000;

/**
 * Builds a bundle of a folder of documents and writes it to another folder, unsigned: the build of
 * `mesh-iam bundle build`, to be followed by `signFolder` (control-plane 2.4, 3).
 *
 * Refusals: `document-invalid` with a line a problem (FILE-8), `document-unreadable`, `config-invalid`
 * for a service that the documents do not have,
 * `bundle-unreadable` when the folder cannot be written. Nothing is written unless all of it is valid.
 */
export async function buildFolder(
  disk: Disk,
  options: BuildFolderOptions,
): Promise<Attempt<BuiltFolder>> {
  let loaded: Awaited<ReturnType<typeof readDocumentFolder>>;
  try {
    loaded = await readDocumentFolder(disk, options.documents, options.reading);
  } catch (error) {
    const { code, message } = MeshIamError.from(error);
    return fail(code, message);
  }
  if (!loaded.ok) {
    return fail("document-invalid", loaded.problems.map(formatDocumentProblem).join("\n"));
  }
  const built = buildDocuments(loaded.value, options.services, "--service", {
    revision: options.revision ?? Math.floor(options.nowMs / 1000),
    issuedAtMs: options.nowMs,
    validForMs: options.validForMs ?? sevenDaysMs,
    signer: null,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  if (!built.ok) return built;
  try {
    await writeFolder(disk, options.out, built.value);
  } catch (error) {
    return fail("bundle-unreadable", `${options.out} cannot be written: ${errorCodeOf(error)}`);
  }
  return { ok: true, value: { bundle: built.value, findings: loaded.findings } };
}

/**
 * Writes a bundle into `folder`, objects first and the head last, so that whoever follows the folder
 * meanwhile finds either bundle whole. Objects of earlier bundles stay: an older head may need them.
 * Rejects with the system's error.
 */
export async function writeFolder(
  disk: Disk,
  folder: string,
  bundle: Pick<BuiltBundle, "sealedHead" | "objects">,
): Promise<void> {
  await disk.makeFolder(join(folder, objectsName), 0o755);
  for (const [digest, frame] of bundle.objects) {
    await replaceFile(disk, objectPath(folder, digest), frame, 0o644);
  }
  await disk.sync(join(folder, objectsName));
  await replaceFileDurably(disk, join(folder, headName), bundle.sealedHead, 0o644);
}
