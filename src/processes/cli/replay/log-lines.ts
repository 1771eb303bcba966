import { bytesOf, unreadable } from "../files.ts";
import type { CommandIo } from "../io.ts";

/** A line of a log; null: it was longer than any record. */
export interface LogLine {
  /** From 1. */
  readonly number: number;
  readonly text: string | null;
}

/** In characters: a record with its scenario is some 64 KiB at most. */
export const maxLineLength = 4 << 20;

/**
 * Yields the lines of `path`, of standard input for `-`, as they come; empty ones are left out. No more
 * than one line is held. Throws `document-unreadable`.
 */
export async function* logLines(path: string, io: CommandIo): AsyncGenerator<LogLine> {
  try {
    yield* linesOf(bytesOf(path, io));
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<LogLine> {
  const decoder = new TextDecoder();
  let number = 0;
  let rest = "";
  let tooLong = false;
  const line = (text: string): LogLine | null => {
    number++;
    const isLost = tooLong || text.length > maxLineLength;
    tooLong = false;
    if (isLost) return { number, text: null };
    return text.trim() === "" ? null : { number, text };
  };
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const each of lines) {
      const made = line(each);
      if (made !== null) yield made;
    }
    if (rest.length > maxLineLength) {
      // its end is waited for, its text is not kept
      tooLong = true;
      rest = "";
    }
  }
  rest += decoder.decode();
  if (rest !== "" || tooLong) {
    const made = line(rest);
    if (made !== null) yield made;
  }
}
