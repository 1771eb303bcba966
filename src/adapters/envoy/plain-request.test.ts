import { fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { CheckRequestSchema } from "../../gen/envoy/service/auth/v3/external_auth_pb.ts";
import { plainCheckRequest } from "./plain-request.ts";

test("a plain request is read by protobuf-es as what it was", () => {
  const headers = new Map([
    ["content-type", "application/grpc"],
    ["authorization", "Bearer a.b.c"],
  ]);
  const bytes = plainCheckRequest({
    method: "POST",
    path: "/shop.Orders/Cancel",
    host: "orders.example.com",
    principal: "spiffe://cluster.local/ns/shop/sa/web",
    headers,
  });
  const { attributes } = fromBinary(CheckRequestSchema, bytes);
  expect(attributes?.source?.principal).toBe("spiffe://cluster.local/ns/shop/sa/web");
  expect(attributes?.request?.http).toMatchObject({
    method: "POST",
    path: "/shop.Orders/Cancel",
    host: "orders.example.com",
    protocol: "HTTP/1.1",
    headers: Object.fromEntries(headers),
  });
});
