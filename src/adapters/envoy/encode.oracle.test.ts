import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fakeOutcome, fakeUser } from "../../../test/fakes/check-outcome.ts";
import { removals } from "../../domain/request/identity-headers.ts";
import type { CheckOutcome } from "../../domain/request/outcome.ts";
import type { HeaderValueOptionSchema } from "../../gen/envoy/config/core/v3/base_pb.ts";
import { CheckResponseSchema } from "../../gen/envoy/service/auth/v3/external_auth_pb.ts";
import type { Principal } from "../../iam/principal.ts";
import { createEncoder } from "./encode.ts";

/** Blocks are kept from one answer to the next; protobuf-es keeps nothing. */

const session: Principal = {
  type: "assumed-role",
  account: "444455556666",
  arn: "arn:aws:sts::444455556666:assumed-role/app/s1",
  roleArn: "arn:aws:iam::444455556666:role/app",
  roleName: "app",
  sessionName: "s1",
  id: null,
  serviceLinked: false,
  tags: new Map(),
};

function headersOf({ principal, decisionId, epoch, revision }: CheckOutcome): [string, string][] {
  const named = principal !== null && "arn" in principal ? principal : null;
  return [
    ...(named === null ? [] : [["x-mesh-iam-account", named.account] as [string, string]]),
    ["x-mesh-iam-decision-id", decisionId],
    ...(named === null ? [] : [["x-mesh-iam-principal", named.arn] as [string, string]]),
    ["x-mesh-iam-revision", `${epoch}.${revision}`],
    ...(principal === session ? [["x-mesh-iam-session", "s1"] as [string, string]] : []),
  ];
}

function metadataOf(outcome: CheckOutcome) {
  const { principal, action, resource } = outcome;
  return {
    ...(principal !== null && "arn" in principal
      ? { account: principal.account, principal_arn: principal.arn }
      : {}),
    ...(action === null ? {} : { action }),
    ...(resource === null ? {} : { resource }),
    bundle_revision: `${outcome.epoch}.${outcome.revision}`,
    cache: outcome.cache,
    decision: outcome.decision.decision,
    decision_id: outcome.decisionId,
    mode: outcome.mode,
    reason: outcome.answer.reason,
  };
}

function entriesOf(
  headers: [string, string][],
): MessageInitShape<typeof HeaderValueOptionSchema>[] {
  return headers.map(([key, value]) => ({
    header: { key, value },
    append: false,
    appendAction: 2,
  }));
}

function allowOf(outcome: CheckOutcome): MessageInitShape<typeof CheckResponseSchema> {
  const headers = headersOf(outcome);
  const set = headers.map(([name]) => name);
  return {
    status: {},
    httpResponse: {
      case: "okResponse",
      value: {
        headers: entriesOf(headers),
        headersToRemove: [...removals(set, [], [])],
      },
    },
    dynamicMetadata: metadataOf(outcome),
  };
}

function denialOf(outcome: CheckOutcome): MessageInitShape<typeof CheckResponseSchema> {
  return {
    status: { code: 7, message: outcome.answer.reason },
    httpResponse: {
      case: "deniedResponse",
      value: {
        status: { code: 403 },
        headers: entriesOf([
          ["cache-control", "no-store"],
          ["content-type", "application/json"],
        ]),
        body: JSON.stringify({
          __type: "AccessDeniedException",
          message: "not authorized to perform this action",
          decisionId: outcome.decisionId,
        }),
      },
    },
    dynamicMetadata: metadataOf(outcome),
  };
}

const sorted = (init: MessageInitShape<typeof CheckResponseSchema>) => ({
  ...init,
  dynamicMetadata: Object.fromEntries(
    Object.entries(init.dynamicMetadata ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)),
  ),
});

const arbitrary: fc.Arbitrary<CheckOutcome> = fc
  .record({
    reason: fc.constantFrom("identity-policy", "explicit-deny", "implicit-deny"),
    principal: fc.constantFrom<Principal | null>(null, fakeUser, session, { type: "anonymous" }),
    action: fc.constantFrom(null, "orders:GetOrder", "orders:ListOrders"),
    resource: fc.constantFrom(null, "arn:aws:orders:eu-west-1:111122223333:order/42"),
    epoch: fc.constantFrom(1, 2),
    revision: fc.constantFrom(42, 43),
    cache: fc.constantFrom("hit", "miss", "bypass"),
    decisionId: fc.constantFrom("0190c4f2a1b2-0000002a", "0190c4f2a1b2-0000002b"),
  } as const)
  .map(({ reason, ...parts }) => fakeOutcome(reason, parts));

test("answers of all callers, revisions and decisions in turn: bytes as protobuf-es writes each", () => {
  const encoder = createEncoder();
  fc.assert(
    fc.property(fc.array(arbitrary, { minLength: 1, maxLength: 30 }), (outcomes) => {
      for (const outcome of outcomes) {
        const init = sorted(outcome.answer.type === "allow" ? allowOf(outcome) : denialOf(outcome));
        const want = toBinary(CheckResponseSchema, create(CheckResponseSchema, init));
        expect(Buffer.from(encoder.encode(outcome))).toEqual(Buffer.from(want));
      }
    }),
    { numRuns: 300 },
  );
});
