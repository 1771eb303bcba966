import { join } from "node:path";
import { readDocumentFolder } from "../../adapters/distribution/document-folder.ts";
import { nodeDisk } from "../../adapters/distribution/node-disk.ts";
import { formatDocumentProblem } from "../../domain/directory/document-problem.ts";
import type { DocumentFile } from "../../domain/directory/documents.ts";
import { readText } from "./files.ts";
import type { CommandIo } from "./io.ts";

/** Returns the files of a folder that loads, key sets that they name among them; null after its problems were told (FILE-8). */
export async function readDocumentFiles(
  folder: string,
  io: CommandIo,
): Promise<readonly DocumentFile[] | null> {
  const read = await readDocumentFolder(nodeDisk, folder);
  if (!read.ok) {
    for (const problem of read.problems) io.err(`${formatDocumentProblem(problem)}\n`);
    return null;
  }
  const known = new Set(read.files.map((file) => file.path));
  const named = read.dependencies.filter((one) => !known.has(one));
  const texts = named.map(async (one) => ({
    path: one,
    text: await readText(join(folder, one), io, "document-unreadable"),
  }));
  return [...read.files, ...(await Promise.all(texts))];
}
