import type { Listener, ListenerOptions } from "./listener.ts";
import { createGrpcJsListener } from "./listener-grpc-js.ts";
import { createHttp2Listener } from "./listener-http2.ts";

/** Which server stands behind the interface; `docs/decisions/0002-check-listener.md`. */
export type ListenerKind = "http2" | "grpc-js";

export const defaultListenerKind: ListenerKind = "http2";

/** Returns a listener that is not bound yet. Throws `certificate-invalid`. */
export function createListener(
  options: ListenerOptions,
  kind: ListenerKind = defaultListenerKind,
): Listener {
  switch (kind) {
    case "http2":
      return createHttp2Listener(options);
    case "grpc-js":
      return createGrpcJsListener(options);
  }
}
