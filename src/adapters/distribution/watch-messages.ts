import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { digestBytes, toHex } from "../../domain/bundle/digest.ts";
import { toSafeInteger } from "../../domain/bundle/integer.ts";
import type {
  HeadEvent,
  Position,
  PositionSchema,
  ReportStatusRequest,
  ReportStatusRequestSchema,
  WatchEventSchema,
} from "../../gen/meshiam/bundle/v1/bundle_service_pb.ts";
import { type Signed, SignedSchema } from "../../gen/meshiam/bundle/v1/signed_pb.ts";
import type { InstanceReport, ReportedPosition } from "./fleet.ts";
import type { ServedEvent } from "./watch-session.ts";

/** A report without what only the server knows of its sender. */
export type OwnReport = Omit<InstanceReport, "identity">;

/** What a head event says, in bytes again. Untrusted. */
export interface HeadNews {
  /** `Signed` over a head. */
  readonly head: Uint8Array;
  /** Frames by hex digest. */
  readonly objects: ReadonlyMap<string, Uint8Array>;
  readonly promptStatus: boolean;
  readonly keySetHint: number;
}

// One head goes to thousands of streams: its envelope is taken apart once.
const envelopes = new WeakMap<Uint8Array, Signed>();

function envelopeOf(sealedHead: Uint8Array): Signed {
  const known = envelopes.get(sealedHead);
  if (known !== undefined) return known;
  const envelope = fromBinary(SignedSchema, sealedHead);
  envelopes.set(sealedHead, envelope);
  return envelope;
}

/** Returns the message of one served event. */
export function encodeEvent(event: ServedEvent): MessageInitShape<typeof WatchEventSchema> {
  if (event.type === "go-away") {
    const seconds = Math.floor(event.retryAfterMs / 1000);
    const nanos = Math.floor((event.retryAfterMs % 1000) * 1e6);
    const retryAfter = { seconds: BigInt(seconds), nanos };
    return { event: { case: "goAway", value: { retryAfter } } };
  }
  const { sealedHead, objects, promptStatus, keySet } = event;
  return {
    event: {
      case: "head",
      value: {
        head: envelopeOf(sealedHead),
        objects: objects.map(([digest, data]) => ({ digest: digestBytes(digest), data })),
        promptStatus,
        keySet: BigInt(keySet),
      },
    },
  };
}

/** Returns what a head event brings; null for one without a head. */
export function decodeHeadEvent(event: HeadEvent): HeadNews | null {
  const { head, objects, promptStatus, keySet } = event;
  if (head === undefined) return null;
  return {
    head: toBinary(SignedSchema, create(SignedSchema, head)),
    objects: new Map(objects.map(({ digest, data }) => [toHex(digest), data])),
    promptStatus,
    keySetHint: toSafeInteger(keySet) ?? 0,
  };
}

/** Returns the message of a position. */
export function encodePosition(at: ReportedPosition): MessageInitShape<typeof PositionSchema> {
  return {
    epoch: BigInt(at.epoch),
    revision: BigInt(at.revision),
    coveredRevision: BigInt(at.coveredRevision),
    manifestDigest: digestBytes(at.manifestDigest),
    chain: digestBytes(at.chain),
  };
}

/** Returns a position as it came in, null when a number or digest cannot be one. */
export function decodePosition(message: Position): ReportedPosition | null {
  const epoch = toSafeInteger(message.epoch);
  const revision = toSafeInteger(message.revision);
  const coveredRevision = toSafeInteger(message.coveredRevision);
  const { manifestDigest, chain } = message;
  if (epoch === null || revision === null || coveredRevision === null) return null;
  if (manifestDigest.length !== 32 || (chain.length !== 0 && chain.length !== 16)) return null;
  return {
    epoch,
    revision,
    coveredRevision,
    manifestDigest: toHex(manifestDigest),
    chain: toHex(chain),
  };
}

/** Returns the message of a report. */
export function encodeReport(
  report: OwnReport,
): MessageInitShape<typeof ReportStatusRequestSchema> {
  const { org, slice, instance, active, nacks, poisoned, activity, selfCheckMismatches } = report;
  return {
    org,
    slice,
    instanceId: instance,
    ...(active === null ? {} : { active: encodePosition(active) }),
    nacks: nacks.map((nack) => ({ ...nack, revision: BigInt(nack.revision) })),
    poisoned: poisoned.map((one) => ({ ...one })),
    activity: activity.map(({ hourAtMs, ...rest }) => ({ ...rest, hourAtMs: BigInt(hourAtMs) })),
    selfCheckMismatches: BigInt(selfCheckMismatches),
  };
}

/** Names of organizations, slices and instances as a peer writes them. */
const plainName = /^[A-Za-z0-9._-]{1,128}$/;
const maxNacks = 64;
const maxPoisoned = 1_000;
const maxActivity = 10_000;
const maxText = 512;
const cut = (text: string): string => text.slice(0, maxText);

/** Returns whether `text` can name an organization, slice or instance. */
export function isPlainName(text: string): boolean {
  return plainName.test(text);
}

/** Returns a report as it came in, cut to its bounds; null when a name or a number cannot be one. */
export function decodeReport(message: ReportStatusRequest): OwnReport | null {
  const { org, slice, instanceId: instance } = message;
  const hasNames =
    isPlainName(org) && isPlainName(instance) && (slice === "" || isPlainName(slice));
  const active = message.active === undefined ? null : decodePosition(message.active);
  const isOdd = message.active !== undefined && active === null;
  const selfCheckMismatches = toSafeInteger(message.selfCheckMismatches);
  if (!hasNames || isOdd || selfCheckMismatches === null) return null;
  return {
    org,
    slice,
    instance,
    active,
    nacks: message.nacks.slice(0, maxNacks).map(({ revision, partId, code, detail }) => ({
      revision: toSafeInteger(revision) ?? 0,
      partId: cut(partId),
      code: cut(code),
      detail: cut(detail),
    })),
    poisoned: message.poisoned.slice(0, maxPoisoned).map(({ objectId, kind, reason }) => ({
      objectId: cut(objectId),
      kind: cut(kind),
      reason: cut(reason),
    })),
    activity: message.activity.slice(0, maxActivity).map((one) => ({
      principalId: cut(one.principalId),
      serviceArn: cut(one.serviceArn),
      action: cut(one.action),
      hourAtMs: toSafeInteger(one.hourAtMs) ?? 0,
    })),
    selfCheckMismatches,
  };
}
