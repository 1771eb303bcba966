import { closeSync, openSync, readFileSync } from "node:fs";
import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";
import { createLineWriter, type LineWriter } from "./line-writer.ts";
import type { SinkName } from "./metric-words.ts";

export interface OpenSinks {
  readonly sinks: readonly { readonly name: SinkName; readonly writer: LineWriter }[];
  /** Closes the file; to be called when the decision log is flushed. */
  close(): void;
}

/**
 * Returns the sinks that the configuration asks for. `stdout` is shared with the application's log,
 * so that their lines never mix. The file is appended to and made with mode 0640; rotate it by
 * copying and truncating.
 * Refusals: `config-invalid` when the file cannot be opened.
 */
export function openSinks(
  wanted: { readonly console: boolean; readonly file: string | null },
  stdout: LineWriter,
): OpenSinks {
  const sinks: OpenSinks["sinks"][number][] = [];
  if (wanted.console) sinks.push({ name: "stdout", writer: stdout });
  if (wanted.file === null) return { sinks, close: () => {} };
  const fd = openToAppend(wanted.file);
  sinks.push({ name: "file", writer: createLineWriter(fd) });
  return { sinks, close: () => closeSync(fd) };
}

const minSaltBytes = 16;

/**
 * Returns the salt of `decisionLogs.mask` out of a file, surrounding white space left out.
 * Refusals: `config-invalid` when it cannot be read or is shorter than 16 bytes.
 */
export function readMaskSalt(path: string): Uint8Array {
  let text: string;
  try {
    text = readFileSync(path, "latin1").trim();
  } catch (cause) {
    throw new MeshIamError("config-invalid", `cannot read the salt ${quote(path)}`, { cause });
  }
  if (text.length >= minSaltBytes) return Buffer.from(text, "latin1");
  const message = `expected a salt of at least ${minSaltBytes} bytes in ${quote(path)}`;
  throw new MeshIamError("config-invalid", message);
}

function openToAppend(path: string): number {
  try {
    return openSync(path, "a", 0o640);
  } catch (cause) {
    const message = `cannot append to the decision log ${quote(path)}`;
    throw new MeshIamError("config-invalid", message, { cause });
  }
}
