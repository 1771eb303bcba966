import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { bundleOf } from "../../../test/fakes/bundle.ts";
import {
  PositionSchema,
  type ReportStatusRequest,
  ReportStatusRequestSchema,
  WatchEventSchema,
} from "../../gen/meshiam/bundle/v1/bundle_service_pb.ts";
import type { ReportedPosition } from "./fleet.ts";
import {
  decodeHeadEvent,
  decodePosition,
  decodeReport,
  encodeEvent,
  encodePosition,
  encodeReport,
  type OwnReport,
} from "./watch-messages.ts";

const active: ReportedPosition = {
  epoch: 1,
  revision: 5,
  coveredRevision: 6,
  manifestDigest: "ab".repeat(32),
  chain: "cd".repeat(16),
};

const report: OwnReport = {
  org: "o-acme",
  slice: "111122223333.orders",
  instance: "pod-1",
  active,
  nacks: [{ revision: 7, partId: "organization", code: "bundle-digest", detail: "wrong" }],
  poisoned: [{ objectId: "p-1", kind: "ManagedPolicy", reason: "unreadable" }],
  activity: [{ principalId: "AIDA", serviceArn: "arn", action: "orders:Get", hourAtMs: 3_600_000 }],
  selfCheckMismatches: 2,
};

/** Over the wire. */
function sent(made: OwnReport): ReportStatusRequest {
  const message = create(ReportStatusRequestSchema, encodeReport(made));
  const bytes = toBinary(ReportStatusRequestSchema, message);
  return fromBinary(ReportStatusRequestSchema, bytes);
}

test("a report arrives as it was sent", () => {
  expect(decodeReport(sent(report))).toEqual(report);
  const first = { ...report, slice: "", active: null };
  expect(decodeReport(sent(first))).toEqual(first);
});

test("a head event arrives in the very bytes that were signed", () => {
  const { head, objects } = bundleOf();
  const event = encodeEvent({
    type: "head",
    sealedHead: head,
    objects: [...objects],
    promptStatus: true,
    keySet: 3,
  });
  const bytes = toBinary(WatchEventSchema, create(WatchEventSchema, event));
  const message = fromBinary(WatchEventSchema, bytes).event;
  const news = message.case === "head" ? decodeHeadEvent(message.value) : null;
  expect(Buffer.from(news?.head ?? [])).toEqual(Buffer.from(head));
  expect(new Set(news?.objects.keys())).toEqual(new Set(objects.keys()));
  expect(news).toMatchObject({ promptStatus: true, keySetHint: 3 });
});

describe("a report that cannot be one is refused", () => {
  const position = create(PositionSchema, encodePosition(active));
  test.each<{ why: string; change: Partial<ReportStatusRequest> }>([
    { why: "no organization", change: { org: "" } },
    { why: "an organization with a slash", change: { org: "a/b" } },
    { why: "a long instance", change: { instanceId: "x".repeat(129) } },
    { why: "a slice with a line break", change: { slice: "a\nb" } },
    { why: "2^53 mismatches", change: { selfCheckMismatches: 2n ** 53n } },
    {
      why: "a revision of 2^64 - 1",
      change: { active: { ...position, revision: 2n ** 64n - 1n } },
    },
    {
      why: "a digest of 31 bytes",
      change: { active: { ...position, manifestDigest: new Uint8Array(31) } },
    },
    { why: "a chain of 15 bytes", change: { active: { ...position, chain: new Uint8Array(15) } } },
  ])("$why", ({ change }) => {
    expect(decodeReport({ ...sent(report), ...change })).toBeNull();
  });
});

test("lists and texts of a report are cut, whatever a peer sends", () => {
  const long = "x".repeat(10_000);
  const nack = { revision: 1, partId: long, code: long, detail: long };
  const activity = { principalId: long, serviceArn: long, action: long, hourAtMs: 1 };
  const decoded = decodeReport(
    sent({
      ...report,
      nacks: Array(500).fill(nack),
      poisoned: Array(2_000).fill({ objectId: "p", kind: "k", reason: "r" }),
      activity: [activity],
    }),
  );
  expect(decoded?.nacks).toHaveLength(64);
  expect(decoded?.poisoned).toHaveLength(1_000);
  expect(decoded?.nacks[0]?.detail).toHaveLength(512);
  expect(decoded?.activity[0]?.principalId).toHaveLength(512);
});

test("a position goes there and back", () => {
  const message = create(PositionSchema, encodePosition(active));
  expect(decodePosition(message)).toEqual(active);
});
