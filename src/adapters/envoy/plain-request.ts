import { build } from "./wire-writer.ts";

/** The least that a proxy tells of a request. */
export interface PlainRequest {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  /** First URI SAN of the caller's certificate; empty without TLS. */
  readonly principal: string;
  /** Names lower-case. */
  readonly headers: ReadonlyMap<string, string>;
}

/**
 * Returns the serialised CheckRequest of `request` with `headers` as a map: what a sidecar can ask
 * itself without loading a message library. Source: envoy-ext-authz 1.1.
 */
export function plainCheckRequest(request: PlainRequest): Buffer {
  // From the last field to the first: attributes { source { principal } request { http } }.
  return build((writer) => {
    writer.text(10, "HTTP/1.1");
    writer.text(5, request.host);
    writer.text(4, request.path);
    for (const [name, value] of request.headers) {
      const header = writer.length;
      writer.text(2, value);
      writer.text(1, name);
      writer.delimit(3, header);
    }
    writer.text(2, request.method);
    writer.delimit(2, 0);
    writer.delimit(4, 0);
    const source = writer.length;
    writer.text(4, request.principal);
    writer.delimit(1, source);
    writer.delimit(1, 0);
  });
}
