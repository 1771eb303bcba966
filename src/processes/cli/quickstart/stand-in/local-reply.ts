/** A reply that the proxy gives by itself: the application never hears of the request. */
export interface LocalReply {
  readonly status: number;
  /** In order; a name may come more than once. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface ReplyTo {
  readonly method: string;
  /** Its `content-type`, empty without one. */
  readonly contentType: string;
}

/**
 * Returns `reply` in the form that the caller understands, as Envoy gives it: to a gRPC caller HTTP
 * 200 with a `grpc-status` made of the HTTP status, unless the reply has one, and the body as
 * `grpc-message`; to others `text/plain` unless a header says otherwise; to HEAD no body.
 * Source: envoy-ext-authz 2.1.
 */
export function formatLocalReply(reply: LocalReply, { method, contentType }: ReplyTo): LocalReply {
  const has = (wanted: string): boolean => reply.headers.some(([name]) => name === wanted);
  if (isGrpc(contentType)) {
    const status = String(grpcStatusOf(reply.status));
    return {
      status: 200,
      headers: [
        ...reply.headers.filter(([name]) => name !== "content-type" && name !== "content-length"),
        ["content-type", "application/grpc"],
        ...(has("grpc-status") ? [] : ([["grpc-status", status]] as const)),
        ...(reply.body === "" ? [] : ([["grpc-message", grpcMessage(reply.body)]] as const)),
      ],
      body: "",
    };
  }
  const body = method === "HEAD" ? "" : reply.body;
  const length = String(Buffer.byteLength(reply.body));
  return {
    status: reply.status,
    headers: [
      ...reply.headers.filter(([name]) => reply.body !== "" || name !== "content-type"),
      ...(reply.body === "" ? [] : ([["content-length", length]] as const)),
      ...(reply.body === "" || has("content-type")
        ? []
        : ([["content-type", "text/plain"]] as const)),
    ],
    body,
  };
}

/** True of what Envoy takes for gRPC; gRPC-Web is not among it. */
function isGrpc(contentType: string): boolean {
  return contentType === "application/grpc" || contentType.startsWith("application/grpc+");
}

function grpcStatusOf(httpStatus: number): number {
  switch (httpStatus) {
    case 400:
      return 13;
    case 401:
      return 16;
    case 403:
      return 7;
    case 404:
      return 12;
    case 429:
    case 502:
    case 503:
    case 504:
      return 14;
    default:
      return 2;
  }
}

/** Percent-encoded (gRPC over HTTP/2, "Status-Message"). */
function grpcMessage(text: string): string {
  let encoded = "";
  for (const byte of Buffer.from(text, "utf8")) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += isPlain
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}
