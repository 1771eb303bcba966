import { fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { isDenied } from "../../domain/request/denied.ts";
import { CheckRequestSchema } from "../../gen/envoy/service/auth/v3/external_auth_pb.ts";
import { encodeCheckRequest, type ProxiedRequest } from "./check-request.ts";
import { createDecoder } from "./decode.ts";

const pem = "-----BEGIN CERTIFICATE-----\nAb+/=\n-----END CERTIFICATE-----\n";

const request: ProxiedRequest = {
  id: "7",
  startedAtMs: 1_795_508_640_236,
  method: "GET",
  path: "/v1/orders/42?a=b",
  host: "Orders:8080",
  scheme: "https",
  protocol: "HTTP/2",
  headers: [
    [":authority", Buffer.from("Orders:8080")],
    [":path", Buffer.from("/v1/orders/42?a=b")],
    ["x-a", Buffer.from("1")],
    ["x-a", Buffer.from("2")],
    ["x-bytes", Buffer.from([0x61, 0xff])],
  ],
  source: {
    address: "10.0.0.7",
    port: 40_000,
    principal: "spiffe://shop.example/ns/shop/sa/checkout",
    certificate: pem,
  },
  destination: { address: "10.0.0.8", port: 443, principal: "spiffe://me", certificate: pem },
  serverName: "orders.example.com",
};

test("the authorizer reads what was said", () => {
  const attributes = createDecoder().decode(encodeCheckRequest(request));
  if (isDenied(attributes)) throw new Error(attributes.detail);
  expect(attributes).toMatchObject({
    method: "GET",
    target: "/v1/orders/42?a=b",
    host: "Orders:8080",
    scheme: "https",
    protocol: "HTTP/2",
    requestTimeMs: 1_795_508_640_236,
    sourceAddress: "10.0.0.7",
    sourcePrincipal: "spiffe://shop.example/ns/shop/sa/checkout",
    destinationPrincipal: "spiffe://me",
    destinationPort: 443,
    serverName: "orders.example.com",
    hasPeerCertificate: true,
  });
  expect(attributes.header("x-a")).toMatchObject({ value: "1,2", count: 2 });
});

test("it is what Envoy sends: raw headers, the source's certificate alone, nothing else filled", () => {
  const { attributes } = fromBinary(CheckRequestSchema, encodeCheckRequest(request));
  const http = attributes?.request?.http;
  expect(http?.headers).toEqual({});
  expect(http?.headerMap?.headers.map(({ value }) => value)).toEqual(["", "", "", "", ""]);
  expect(http?.headerMap?.headers[4]?.rawValue).toEqual(new Uint8Array([0x61, 0xff]));
  expect(http).toMatchObject({ id: "7", query: "", fragment: "", body: "", size: 0n });
  expect(attributes?.source?.certificate).toBe(
    "-----BEGIN%20CERTIFICATE-----%0AAb%2B%2F%3D%0A-----END%20CERTIFICATE-----%0A",
  );
  expect(attributes?.destination?.certificate).toBe("");
  expect(attributes?.contextExtensions).toEqual({});
});
