import { expect, test } from "vitest";
import { createDecoder } from "../../src/adapters/envoy/decode.ts";
import {
  attributesOf,
  attributesOfConnection,
  type WrittenConnection,
} from "../../src/domain/request/attributes-of.ts";
import { isDenied } from "../../src/domain/request/denied.ts";
import { checkConnection, checkRequest, type Written } from "./check-request.ts";
import { headerNames, scannerView } from "./check-views.ts";

const everything: Written = {
  method: "POST",
  path: "/a%20b?c=d",
  host: "App.example.com:8080",
  scheme: "https",
  protocol: "HTTP/2",
  headers: { "X-A": ["1", "2"], "Content-Type": "application/json", authorization: "Bearer é" },
  requestTimeMs: 1_764_000_000_123,
  sourcePrincipal: "spiffe://td/a",
  destinationPrincipal: "spiffe://td/b",
  sourceAddress: "2001:db8::1",
  destinationPort: 8443,
  destinationLabels: { app: "orders" },
  serverName: "orders.example.com",
  hasPeerCertificate: true,
  contextExtensions: { "mesh-iam-service": "orders" },
};

/** `:path` has fields of its own. */
const names = headerNames.filter((name) => !name.startsWith(":"));

const views = (bytes: Uint8Array) => {
  const decoded = createDecoder().decode(bytes);
  if (isDenied(decoded)) throw new Error(decoded.detail);
  return scannerView(decoded, names);
};

test.each<[why: string, written: Written]>([
  ["a plain one", {}],
  ["all of it, joined", everything],
  ["all of it, raw", { ...everything, encoding: "header_map" }],
  ["CONNECT", { method: "CONNECT", host: "db:5432" }],
  ["over a pipe", { sourceAddress: null }],
  ["without a :path entry", { path: "/a", rawPaths: [] }],
  ["with two :path entries", { path: "/a", rawPaths: ["/a", "/b"], encoding: "header_map" }],
])("the bytes of a written request decode to its attributes: %s", (_why, written) => {
  expect(views(checkRequest(written))).toEqual(scannerView(attributesOf(written), names));
});

test.each<[why: string, written: WrittenConnection]>([
  ["a plain one", {}],
  ["all of it", everything],
])("the bytes of a written connection decode to its attributes: %s", (_why, written) => {
  expect(views(checkConnection(written))).toEqual(
    scannerView(attributesOfConnection(written), names),
  );
});
