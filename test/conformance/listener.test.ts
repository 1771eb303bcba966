import { createGrpcJsListener } from "../../src/adapters/envoy/listener-grpc-js.ts";
import { createHttp2Listener } from "../../src/adapters/envoy/listener-http2.ts";
import { listenerConformance } from "./listener.ts";

listenerConformance("http2", createHttp2Listener, {
  standsResets: true,
  boundsIncompleteMessages: true,
  boundsUnfinishedBytes: true,
  checksRequestLine: true,
  tellsOfBadCalls: true,
  cutMessageStatus: "13",
  compressed: ["13", "12"],
});

// Known limits of grpc-js: `docs/decisions/0002-check-listener.md`.
listenerConformance("grpc-js", createGrpcJsListener, {
  standsResets: false,
  boundsIncompleteMessages: false,
  boundsUnfinishedBytes: false,
  checksRequestLine: false,
  tellsOfBadCalls: false,
  cutMessageStatus: "12",
  compressed: ["0", "13"],
});
