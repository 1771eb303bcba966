import { createReadStream } from "node:fs";
import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";
import type { ErrorCode } from "../../iam/reason.ts";
import type { CommandIo } from "./io.ts";

/** As much as all files of a folder of documents may have. */
const maxBytes = 64 << 20;

/**
 * Returns the text of `path`, or of standard input for `-`, of at most 64 MiB; throws `code` with a
 * remedy.
 */
export async function readText(path: string, io: CommandIo, code: ErrorCode): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of bytesOf(path, io)) {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        throw new MeshIamError(code, `${quote(path)} has more than ${maxBytes} bytes`);
      }
      chunks.push(chunk);
    }
  } catch (cause) {
    throw unreadable(path, cause, code);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Returns the bytes of `path`, or of standard input for `-`, as they come. */
export function bytesOf(path: string, io: CommandIo): AsyncIterable<Uint8Array> {
  return path === "-" ? io.stdin : createReadStream(path);
}

/** Returns the error that `path` could not be read because of `cause`; `cause` itself if it is ours. */
export function unreadable(
  path: string,
  cause: unknown,
  code: ErrorCode = "document-unreadable",
): MeshIamError {
  if (cause instanceof MeshIamError) return cause;
  return new MeshIamError(code, `cannot read ${quote(path)}: ${whyUnreadable(cause)}`, { cause });
}

/** Returns why a file could not be read, in words a user acts on. */
export function whyUnreadable(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  switch (code) {
    case "ENOENT":
      return "no such file or folder";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "EISDIR":
      return "it is a folder, expected a file";
    case "ENOTDIR":
      return "a part of the path is a file, expected a folder";
    default:
      return code === "" ? "unknown failure" : code;
  }
}
