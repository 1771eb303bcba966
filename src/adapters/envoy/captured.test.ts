import { fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { headerNames, oracleView, scannerView } from "../../../test/fakes/check-views.ts";
import captured from "../../../test/fixtures/check-requests.json" with { type: "json" };
import { isDenied } from "../../domain/request/denied.ts";
import { CheckRequestSchema } from "../../gen/envoy/service/auth/v3/external_auth_pb.ts";
import { createDecoder } from "./decode.ts";

/*
 * Messages of an Envoy 1.40.0, captured by test/e2e/envoy-wire.test.ts with
 * MESH_IAM_UPDATE_FIXTURES=true: what the adapter must read where no Envoy is at hand.
 */
const names = [...headerNames, "x-bytes"];
const decoder = createDecoder();

test("there are captured messages of both header forms, of gRPC and of mTLS", () => {
  expect(captured.length).toBeGreaterThanOrEqual(13);
  expect(new Set(captured.map(({ view }) => view.rawHeaders))).toEqual(new Set([true, false]));
  expect(captured.some(({ view }) => view.hasPeerCertificate)).toBe(true);
  expect(captured.some(({ view }) => view.target === "/shop.orders.v1.Orders/Get")).toBe(true);
});

test.each(captured)("a captured message: $name, $view.method $view.target", ({ base64, view }) => {
  const bytes = Buffer.from(base64, "base64");
  const attributes = decoder.decode(bytes);
  if (isDenied(attributes)) throw new Error(attributes.detail);
  const seen = scannerView(attributes, names);
  expect(seen).toEqual(oracleView(fromBinary(CheckRequestSchema, bytes), names));
  // JSON has neither maps nor undefined.
  expect(
    JSON.parse(JSON.stringify({ ...seen, destinationLabels: [...attributes.destinationLabels] })),
  ).toEqual(view);
});
