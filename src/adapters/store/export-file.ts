import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createZstdCompress, createZstdDecompress } from "node:zlib";
import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";
import { type ExportHeader, exportFormat, readEnd, readHeader, readObject } from "./export-line.ts";
import { schemaVersion } from "./schema.ts";
import type { CopiedObject, OrgCopy, StoreHead } from "./store.ts";

/** A doc of 256 KiB, each of its bytes escaped, and room for the rest. */
const maxLineBytes = 2 * 1024 * 1024;
const pageObjects = 500;

/** What an export holds. */
export interface Exported {
  readonly head: StoreHead;
  readonly objects: number;
}

/**
 * Writes an organization to `path` and returns what it was: zstd over JSON Lines of a header, every
 * object by ascending id, and an end with counts and the SHA-256 of every byte before it. Equal
 * organizations give equal bytes. The file appears whole, mode 0600, or not at all.
 */
export async function writeExport(
  copy: OrgCopy,
  org: string,
  path: string,
  progress: (objects: number) => void,
): Promise<Exported> {
  const { head, pages } = await copy.read(org);
  let objects = 0;
  async function* lines(): AsyncGenerator<string> {
    const digest = createHash("sha256");
    const line = (value: unknown) => {
      const text = `${JSON.stringify(value)}\n`;
      digest.update(text);
      return text;
    };
    const { epoch, revision } = head;
    const chain = Buffer.from(head.chain).toString("hex");
    yield line({ format: exportFormat, schema: schemaVersion, org, epoch, revision, chain });
    for await (const page of pages) {
      objects += page.length;
      yield page.map(line).join("");
      progress(objects);
    }
    yield `${JSON.stringify({ objects, digest: digest.digest("hex") })}\n`;
  }
  await replaceFile(path, (temporary) =>
    pipeline(
      Readable.from(lines()),
      createZstdCompress(),
      createWriteStream(temporary, { flags: "wx", mode: 0o600 }),
    ),
  );
  return { head, objects };
}

/** Makes a file under another name, syncs it, and gives it its own name. */
export async function replaceFile(
  path: string,
  make: (temporary: string) => Promise<unknown>,
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomUUID()}`);
  try {
    await make(temporary);
    await sync(temporary);
    await rename(temporary, path);
    await sync(folder);
  } catch (cause) {
    await rm(temporary, { force: true });
    if (cause instanceof MeshIamError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MeshIamError("store-unusable", `cannot write ${quote(path)}: ${why}`, { cause });
  }
}

async function sync(path: string): Promise<void> {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** An export that is being read. */
export interface OpenedExport {
  readonly header: ExportHeader;
  /** Read once. Throws at its end when the whole was not what was written: commit nothing before. */
  readonly pages: AsyncIterable<readonly CopiedObject[]>;
}

/**
 * Opens an export. Everything that is wrong with the file is `store-export-invalid`, with its line: here
 * or while `pages` is read.
 */
export async function openExport(path: string): Promise<OpenedExport> {
  const lines = numberedLines(path);
  const first = await lines.next();
  if (first.done === true) throw invalid(path, 1, "the file is empty");
  const header = readHeader(first.value.text);
  if (typeof header === "string") throw invalid(path, 1, header);
  return { header, pages: pagesOf(path, lines, first.value.text) };
}

async function* pagesOf(
  path: string,
  lines: AsyncGenerator<NumberedLine>,
  headerText: string,
): AsyncGenerator<readonly CopiedObject[]> {
  const digest = createHash("sha256").update(`${headerText}\n`);
  let page: CopiedObject[] = [];
  let objects = 0;
  let last = "";
  for await (const { text, number } of lines) {
    const end = readEnd(text);
    if (end !== null) {
      if (end.objects !== objects)
        throw invalid(path, number, `expected ${end.objects} objects, got ${objects}`);
      if (end.digest !== digest.digest("hex")) throw invalid(path, number, "the digest differs");
      if ((await lines.next()).done !== true) throw invalid(path, number + 1, "expected the end");
      if (page.length > 0) yield page;
      return;
    }
    digest.update(`${text}\n`);
    const object = readObject(text);
    if (typeof object === "string") throw invalid(path, number, object);
    if (Buffer.compare(Buffer.from(object.id), Buffer.from(last)) <= 0) {
      throw invalid(path, number, `${quote(object.id)} is not in order`);
    }
    last = object.id;
    objects++;
    page.push(object);
    if (page.length < pageObjects) continue;
    yield page;
    page = [];
  }
  throw invalid(path, objects + 2, "the file is cut short");
}

interface NumberedLine {
  readonly text: string;
  readonly number: number;
}

async function* numberedLines(path: string): AsyncGenerator<NumberedLine> {
  const file = createReadStream(path);
  const inflate = createZstdDecompress();
  // The error of either ends the loop below; of the file by way of the inflater.
  const flow = pipeline(file, inflate).catch(() => {});
  let number = 0;
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of inflate as AsyncIterable<Buffer>) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let from = 0;
      for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10, from)) {
        number++;
        yield { text: rest.toString("utf8", from, at), number };
        from = at + 1;
      }
      rest = rest.subarray(from);
      if (rest.length > maxLineBytes) {
        throw invalid(path, number + 1, `expected a line of at most ${maxLineBytes} bytes`);
      }
    }
  } catch (cause) {
    if (cause instanceof MeshIamError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw invalid(path, number + 1, `cannot be read: ${why}`, cause);
  } finally {
    file.destroy();
    inflate.destroy();
    await flow;
  }
  if (rest.length > 0) throw invalid(path, number + 1, "the line does not end");
}

function invalid(path: string, line: number, why: string, cause?: unknown): MeshIamError {
  return new MeshIamError(
    "store-export-invalid",
    `${quote(path)} is no whole export of mesh-iam: line ${line}: ${why}`,
    { cause },
  );
}
