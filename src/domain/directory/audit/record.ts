import { formatIsoTime } from "../../../iam/derived-keys.ts";
import type { Principal } from "../../../iam/principal.ts";
import { userIdentity } from "../../request/user-identity.ts";

/** What is known of one call when its record is written (AUD-1). */
export interface AuditedCall {
  readonly eventId: string;
  readonly requestId: string;
  readonly atMs: number;
  /** Null: nobody could be made out. */
  readonly caller: AuditedCaller | null;
  /** `iam`, `organizations`, `sso`, `mesh-iam`. */
  readonly service: string;
  /** `CreateUser`. */
  readonly name: string;
  readonly readOnly: boolean;
  /** The input as it came: plain JSON data. */
  readonly request: unknown;
  /** Members of the input that no record shows (AUD-2). */
  readonly secretMembers: readonly string[];
  /** Null of a refused call. */
  readonly answer: Readonly<Record<string, unknown>> | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Null: not over the network. */
  readonly sourceIp: string | null;
  readonly userAgent: string;
  /** The account that the event belongs to. */
  readonly account: string;
  readonly organization: string;
  /** Of a change: where it stands in the history, whose chain is the audit chain (STO-8). */
  readonly position: { readonly epoch: number; readonly revision: number } | null;
}

export interface AuditedCaller {
  readonly principal: Principal;
  /** True of the local socket: the loudest of all callers (TEN-5). */
  readonly breakGlass: boolean;
}

const maxPartBytes = 65_536;

/**
 * Returns the record of a call in CloudTrail's form as JSON in UTF-8, redacted. Request and answer above
 * 64 KiB are left out with their size, so a record is bounded whatever was sent.
 */
export function auditRecord(call: AuditedCall): Uint8Array {
  const { error, position } = call;
  const record = {
    eventVersion: "1.11",
    userIdentity: call.caller === null ? { type: "Unknown" } : userIdentity(call.caller.principal),
    eventTime: formatIsoTime(call.atMs),
    eventSource: call.service === "mesh-iam" ? "mesh-iam.io" : `${call.service}.amazonaws.com`,
    eventName: call.name,
    sourceIPAddress: call.sourceIp ?? "local socket",
    userAgent: call.userAgent,
    ...(error === null ? {} : { errorCode: error.code, errorMessage: error.message }),
    requestParameters: bounded(redacted(call.request, call.secretMembers)),
    responseElements: bounded(call.readOnly ? null : call.answer),
    requestID: call.requestId,
    eventID: call.eventId,
    readOnly: call.readOnly,
    eventType: "AwsApiCall",
    managementEvent: true,
    recipientAccountId: call.account,
    eventCategory: "Management",
    meshIam: {
      organization: call.organization,
      ...(position === null ? {} : { epoch: position.epoch, revision: position.revision }),
      ...(call.caller?.breakGlass === true ? { breakGlass: true } : {}),
    },
  };
  return new TextEncoder().encode(JSON.stringify(record));
}

function redacted(request: unknown, secretMembers: readonly string[]): unknown {
  if (secretMembers.length === 0 || typeof request !== "object" || request === null) return request;
  return Object.fromEntries(
    Object.entries(request).map(([name, value]) => [
      name,
      secretMembers.includes(name) ? "HIDDEN_DUE_TO_SECURITY_REASONS" : value,
    ]),
  );
}

function bounded(part: unknown): unknown {
  const text = JSON.stringify(part ?? null);
  if (text.length <= maxPartBytes / 4) return part ?? null;
  const originalSize = new TextEncoder().encode(text).length;
  return originalSize <= maxPartBytes ? part : { omitted: true, originalSize };
}
