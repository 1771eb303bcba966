import { readFile } from "node:fs/promises";
import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";
import type { ErrorCode } from "../../iam/reason.ts";
import type { CommandIo } from "./io.ts";

/** Returns the text of `path`, or of standard input for `-`; throws `code` with a remedy. */
export async function readText(path: string, io: CommandIo, code: ErrorCode): Promise<string> {
  if (path === "-") return readStdin(io);
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new MeshIamError(code, `cannot read ${quote(path)}: ${whyUnreadable(cause)}`, { cause });
  }
}

async function readStdin(io: CommandIo): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of io.stdin) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
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
