import type { IncomingHttpHeaders } from "node:http";
import { type Fetched, failed } from "./carrier.ts";

/** The part of a response stream, of HTTP/1.1 or HTTP/2, that a body is read from. */
interface Readable {
  on(event: "data", listener: (chunk: Buffer) => void): unknown;
  once(event: "end" | "aborted" | "close", listener: () => void): unknown;
}

/**
 * Returns the declared length of an answer that may be read, or why not: any status but 200, which
 * makes a redirect a failure, a content coding, no declared length, or one above `maxBytes`.
 */
export function judgeAnswer(
  status: number,
  headers: Pick<IncomingHttpHeaders, "content-encoding" | "content-length" | "retry-after">,
  maxBytes: number,
): { readonly ok: true; readonly bytes: number } | (Fetched & { readonly ok: false }) {
  if (status === 401 || status === 403) return failed("auth", `answered with status ${status}`);
  if (status !== 200) {
    const retryAfterMs = retryAfterMsOf(headers["retry-after"]);
    return failed("network", `answered with status ${status}`, retryAfterMs);
  }
  if ((headers["content-encoding"] ?? "identity") !== "identity") {
    return failed("network", "answered with a content coding, which was not asked for");
  }
  const declared = headers["content-length"] ?? "";
  if (!/^\d{1,15}$/.test(declared)) return failed("network", "answered without a declared length");
  const bytes = Number(declared);
  return bytes <= maxBytes
    ? { ok: true, bytes }
    : failed("network", `declared ${bytes} bytes, expected at most ${maxBytes}`);
}

/** Returns a `Retry-After` of whole seconds in milliseconds, null for none and for a date. */
export function retryAfterMsOf(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) * 1000 : null;
}

/**
 * Calls `finish` with the body, of exactly the declared length, or with why it is none. May call it
 * again after the end; only the first call counts.
 */
export function readDeclared(
  body: Readable,
  declaredBytes: number,
  finish: (fetched: Fetched) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  body.on("data", (chunk) => {
    bytes += chunk.length;
    if (bytes > declaredBytes) finish(failed("network", "sent more than it declared"));
    else chunks.push(chunk);
  });
  body.once("end", () => {
    finish(
      bytes === declaredBytes
        ? { ok: true, bytes: Buffer.concat(chunks) }
        : failed("network", `sent ${bytes} bytes of the declared ${declaredBytes}`),
    );
  });
  const brokeOff = () => finish(failed("network", "the answer broke off"));
  body.once("aborted", brokeOff);
  body.once("close", brokeOff);
}
