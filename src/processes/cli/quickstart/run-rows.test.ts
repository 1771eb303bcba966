import { expect, test } from "vitest";
import { fakeOutcome } from "../../../../test/fakes/check-outcome.ts";
import type { Reason } from "../../../iam/reason.ts";
import type { Row } from "./rows.ts";
import { judge } from "./run-rows.ts";
import type { SeenRequest } from "./upstream.ts";

const ana = "arn:aws:iam::111122223333:user/ana";
const allowed: Row = {
  ...{ caller: "user", method: "GET", path: "/v1/orders", host: "orders", token: "ana" },
  ...{ certificate: null, headers: {}, grpc: false, status: 200 },
  reason: "identity-policy",
  principal: ana,
};
const denied: Row = { ...allowed, status: 403, reason: "implicit-deny", principal: null };
const call: Row = { ...denied, grpc: true, status: 7 };

const response = (status: number, grpcStatus: number | null = null) => ({
  ...{ status, grpcStatus, headers: {}, body: "" },
});
const seen = (principal?: string): SeenRequest => ({
  ...{ method: "GET", path: "/v1/orders", bodyBytes: 0 },
  headers: principal === undefined ? {} : { "x-mesh-iam-principal": principal },
});

test.each<{
  why: string;
  row: Row;
  got: ReturnType<typeof response> | Error;
  reason: Reason | null;
  seen: readonly SeenRequest[];
  differences: readonly string[];
}>([
  {
    why: "an allow as expected",
    ...{ row: allowed, got: response(200), reason: "identity-policy", seen: [seen(ana)] },
    differences: [],
  },
  {
    why: "a denial as expected",
    ...{ row: denied, got: response(403), reason: "implicit-deny", seen: [] },
    differences: [],
  },
  {
    why: "a gRPC denial as expected",
    ...{ row: call, got: response(200, 7), reason: "implicit-deny", seen: [] },
    differences: [],
  },
  {
    why: "another status",
    ...{ row: allowed, got: response(503), reason: "identity-policy", seen: [seen(ana)] },
    differences: ["expected 200, got 503"],
  },
  {
    why: "another gRPC status",
    ...{ row: call, got: response(200, 14), reason: "implicit-deny", seen: [] },
    differences: ["expected grpc 7, got grpc 14"],
  },
  {
    why: "another reason",
    ...{ row: denied, got: response(403), reason: "scp", seen: [] },
    differences: ["expected the reason implicit-deny, got scp"],
  },
  {
    why: "the authorizer was not asked",
    ...{ row: denied, got: response(403), reason: null, seen: [] },
    differences: ["expected the reason implicit-deny, got none"],
  },
  {
    why: "the connection broke",
    ...{ row: denied, got: new Error("ECONNRESET"), reason: "implicit-deny", seen: [] },
    differences: ["expected 403, got ECONNRESET"],
  },
  {
    why: "a denied request got through",
    ...{ row: denied, got: response(403), reason: "implicit-deny", seen: [seen()] },
    differences: ["it reached the application"],
  },
  {
    why: "an allowed one did not",
    ...{ row: allowed, got: response(200), reason: "identity-policy", seen: [] },
    differences: ["it did not reach the application"],
  },
  {
    why: "it got through twice",
    ...{
      row: allowed,
      got: response(200),
      reason: "identity-policy",
      seen: [seen(ana), seen(ana)],
    },
    differences: ["it reached the application 2 times"],
  },
  {
    why: "from a forged caller",
    ...{ row: allowed, got: response(200), reason: "identity-policy", seen: [seen("forged")] },
    differences: [`the application saw forged, expected ${ana}`],
  },
  {
    why: "from nobody",
    ...{ row: allowed, got: response(200), reason: "identity-policy", seen: [seen()] },
    differences: [`the application saw nobody, expected ${ana}`],
  },
])("$why", ({ row, got, reason, seen: requests, differences }) => {
  const outcome = reason === null ? null : fakeOutcome(reason, { durationNs: 65_000 });
  const result = judge(row, got, outcome, requests);
  expect(result.differences).toEqual(differences);
  expect(result.microseconds).toBe(reason === null ? null : 65);
});
