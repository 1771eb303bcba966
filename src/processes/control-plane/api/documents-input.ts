import type { DocumentFile } from "../../../domain/directory/documents.ts";
import { type CallRefusal, refusal } from "../call-result.ts";

/** A run of documents as it was asked for. */
export interface DocumentsInput {
  readonly files: readonly DocumentFile[];
  readonly dryRun: boolean;
  readonly prune: boolean;
  readonly takeOver: boolean;
  readonly force: boolean;
  readonly manager: string;
  readonly planDigest: string | null;
}

const members = ["files", "dryRun", "prune", "takeOver", "force", "fieldManager", "planDigest"];
const maxFiles = 10_000;

/** Returns the body of an `ApplyDocuments` request read, or its first mistake. */
export function documentsInput(
  body: Readonly<Record<string, unknown>>,
): DocumentsInput | CallRefusal {
  const unknown = Object.keys(body).find((name) => !members.includes(name));
  if (unknown !== undefined) return mistake(unknown, "unknown member");
  const {
    dryRun = false,
    prune = false,
    takeOver = false,
    force = false,
    fieldManager = "mesh-iam-apply",
    planDigest = null,
  } = body;
  if (typeof dryRun !== "boolean") return mistake("dryRun", "expected true or false");
  if (typeof prune !== "boolean") return mistake("prune", "expected true or false");
  if (typeof takeOver !== "boolean") return mistake("takeOver", "expected true or false");
  if (typeof force !== "boolean") return mistake("force", "expected true or false");
  if (typeof fieldManager !== "string" || !/^[a-z][a-z0-9.-]{0,63}$/.test(fieldManager)) {
    return mistake("fieldManager", "expected a name like `mesh-iam-apply`");
  }
  if (planDigest !== null && typeof planDigest !== "string") {
    return mistake("planDigest", "expected the digest of a plan");
  }
  const files = filesOf(body.files);
  if ("ok" in files) return files;
  return { files, dryRun, prune, takeOver, force, manager: fieldManager, planDigest };
}

function filesOf(value: unknown): readonly DocumentFile[] | CallRefusal {
  const expected = `expected a list of at most ${maxFiles} files, each with \`path\` and \`text\``;
  if (!Array.isArray(value) || value.length > maxFiles) return mistake("files", expected);
  const files: DocumentFile[] = [];
  const paths = new Set<string>();
  for (const [index, file] of value.entries()) {
    const field = `files[${index}]`;
    if (typeof file !== "object" || file === null) return mistake(field, expected);
    const { path, text } = file as { readonly path?: unknown; readonly text?: unknown };
    if (typeof path !== "string" || typeof text !== "string") return mistake(field, expected);
    if (paths.has(path)) return mistake(`${field}.path`, "expected each path once");
    paths.add(path);
    files.push({ path, text });
  }
  return files;
}

function mistake(field: string, message: string): CallRefusal {
  return refusal("ValidationError", message, { field });
}
