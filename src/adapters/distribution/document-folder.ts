import { join, sep } from "node:path";
import { compareBytes } from "../../domain/bundle/byte-order.ts";
import type { DocumentOptionsInput } from "../../domain/directory/document-options.ts";
import type { DocumentProblem } from "../../domain/directory/document-problem.ts";
import {
  type DocumentFile,
  type LoadedDocuments,
  openDocuments,
} from "../../domain/directory/documents.ts";
import { finish, type Steps } from "../../domain/directory/steps.ts";
import { MeshIamError } from "../../iam/error.ts";
import { type Parsed, quote } from "../../iam/problem.ts";
import { readInside } from "./bundle-folder.ts";
import { type Disk, errorCodeOf, type FileFacts } from "./disk.ts";

/** What a folder of documents may be. */
export interface DocumentFolderLimits {
  /** Default 10,000. */
  readonly maxFiles: number;
  /** One file, with any number of documents. Default 16 MiB. */
  readonly maxFileBytes: number;
  /** All of them. Default 64 MiB. */
  readonly maxBytes: number;
  /** Folders in folders. Default 32. */
  readonly maxDepth: number;
}

export const defaultDocumentFolderLimits: DocumentFolderLimits = Object.freeze({
  maxFiles: 10_000,
  maxFileBytes: 16 << 20,
  maxBytes: 64 << 20,
  maxDepth: 32,
});

/** What a walk finds, in byte order of the paths; nothing is read yet. */
export interface DocumentWalk {
  readonly files: readonly { readonly path: string; readonly facts: FileFacts }[];
  /** Real paths of every folder walked through. */
  readonly folders: readonly string[];
  /** What must not be passed over: it might hold a Deny. */
  readonly problems: readonly DocumentProblem[];
}

/**
 * Returns the documents' files of a folder (FILE-1): `*.yaml`, `*.yml` and `*.json`, recursively, but
 * no name that begins with `.` or `_` and no `*_test.yaml`. A link counts as what it leads to, so that
 * a ConfigMap mount works; one that leads out of the folder, or back up, is a problem. Rejects with
 * the system's error when the folder itself cannot be listed.
 */
export async function walkDocuments(
  disk: Disk,
  folder: string,
  limits: DocumentFolderLimits = defaultDocumentFolderLimits,
): Promise<DocumentWalk> {
  const root = await disk.realPath(folder);
  const walk = { files: [] as { path: string; facts: FileFacts }[], folders: [] as string[] };
  const problems: DocumentProblem[] = [];

  const visit = async (path: string, above: readonly string[]): Promise<void> => {
    const real = await disk.realPath(join(root, path));
    if (real !== root && !real.startsWith(root + sep)) {
      problems.push(unreadable(path, "is a link that leads out of the folder"));
      return;
    }
    const facts = await disk.facts(real);
    if (facts.type === "folder") {
      if (above.includes(real) || above.length > limits.maxDepth) {
        problems.push(unreadable(path, "is a link back, or lies too deep"));
        return;
      }
      walk.folders.push(real);
      for (const name of [...(await disk.list(real))].sort(compareBytes)) {
        if (name.startsWith(".") || name.startsWith("_")) continue;
        const inner = path === "" ? name : `${path}/${name}`;
        await visit(inner, [...above, real]).catch((error: unknown) => {
          problems.push(unreadable(inner, `cannot be read: ${errorCodeOf(error)}`));
        });
      }
    } else if (isDocumentName(path)) {
      if (walk.files.length < limits.maxFiles) walk.files.push({ path, facts });
      else if (problems.length === 0) {
        problems.push(unreadable(path, `is one file more than ${limits.maxFiles}`));
      }
    }
  };

  await visit("", []);
  return { ...walk, problems };
}

function isDocumentName(path: string): boolean {
  return /\.(yaml|yml|json)$/.test(path) && !path.endsWith("_test.yaml");
}

/** What a folder comes to, and the texts that it was read from, in the order of the walk. */
export type LoadedFolder = LoadedDocuments & { readonly files: readonly DocumentFile[] };

/**
 * Returns what the documents in `folder` say, or every problem that refuses them (FILE-8), unreadable
 * files included. Key sets that they name are read too, inside the folder only; `options.readFile` is asked
 * for those that are not there. A folder without a document is a problem: an empty mount is not an empty
 * organization.
 *
 * `run` does the work that is no reading: in one piece unless given. Throws `document-unreadable` when the
 * folder cannot be listed. What changes while it is read may be
 * read half: a caller that watches compares `walkDocuments` before and after.
 */
export async function readDocumentFolder(
  disk: Disk,
  folder: string,
  options: DocumentOptionsInput = {},
  limits: DocumentFolderLimits = defaultDocumentFolderLimits,
  run: <T>(steps: Steps<T>) => T | Promise<T> = finish,
): Promise<LoadedFolder> {
  const walk = await walkDocuments(disk, folder, limits).catch((error: unknown) => {
    const message = `the folder ${quote(folder)} cannot be read: ${errorCodeOf(error)}`;
    throw new MeshIamError("document-unreadable", message, { cause: error });
  });
  const problems = [...walk.problems];
  const files: DocumentFile[] = [];
  let bytes = 0;
  for (const { path, facts } of walk.files) {
    bytes += facts.bytes;
    if (bytes > limits.maxBytes) {
      problems.push(unreadable(path, `is more than ${limits.maxBytes} bytes of documents`));
      break;
    }
    const text = await readText(disk, folder, path, limits.maxFileBytes);
    if (text.ok) files.push({ path, text: text.value });
    else problems.push(unreadable(path, `cannot be read: ${text.message}`));
  }
  if (files.length === 0 && problems.length === 0) {
    // The root is among the folders walked, unless it is a file.
    const isFile = walk.folders.length === 0;
    const what = isFile
      ? "is a file: expected the folder that it is in"
      : "has no documents: expected *.yaml, *.yml or *.json";
    problems.push(unreadable(folder, what));
  }

  const named = new Map<string, Parsed<string>>();
  const opened = await run(openDocuments(files, options));
  for (const path of opened.dependencies) {
    if (files.some((file) => file.path === path)) continue;
    const text = await readText(disk, folder, path, limits.maxFileBytes);
    named.set(path, text.ok ? text : (options.readFile?.(path) ?? text));
  }
  const loaded = await run(opened.read((path) => named.get(path) ?? notNamed));

  if (problems.length === 0) return { ...loaded, files };
  const all = loaded.ok ? problems : [...problems, ...loaded.problems];
  return { ok: false, problems: all, dependencies: loaded.dependencies, files };
}

const notNamed: Parsed<string> = { ok: false, code: "file-unreadable", message: "named by nobody" };
const utf8 = new TextDecoder("utf-8", { fatal: true });

async function readText(
  disk: Disk,
  folder: string,
  path: string,
  maxBytes: number,
): Promise<Parsed<string>> {
  const bytes = await readInside(disk, folder, join(folder, path), maxBytes);
  if (bytes === null) {
    const message = `expected a file of this folder of at most ${maxBytes} bytes`;
    return { ok: false, code: "file-unreadable", message };
  }
  try {
    return { ok: true, value: utf8.decode(bytes) };
  } catch {
    return { ok: false, code: "file-unreadable", message: "expected UTF-8" };
  }
}

function unreadable(file: string, message: string): DocumentProblem {
  const code = "FILE_UNREADABLE";
  return { file, subject: "", path: "", position: null, severity: "ERROR", code, message };
}
