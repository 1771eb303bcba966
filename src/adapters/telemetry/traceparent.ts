/** The ids of a W3C trace context, lower-case hexadecimal. */
export interface TraceIds {
  readonly traceId: string;
  readonly spanId: string;
}

const form = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-|$)/;
const zeros = /^0+$/;

/**
 * Returns the ids of a `traceparent` header, null when it is absent or not of that form (version
 * `ff`, ids of zeros alone). The sender chooses them: they label, they prove nothing.
 * Source: W3C Trace Context, 3.2.
 */
export function parseTraceparent(text: string | undefined): TraceIds | null {
  if (text === undefined || text.length > 128) return null;
  const match = form.exec(text);
  const [, traceId = "", spanId = ""] = match ?? [];
  if (match === null || text.startsWith("ff") || zeros.test(traceId) || zeros.test(spanId)) {
    return null;
  }
  return { traceId, spanId };
}
