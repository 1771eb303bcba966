import { create, toBinary, toJson } from "@bufbuild/protobuf";
import { IamErrorSchema } from "../../../gen/meshiam/iam/v1/error_pb.ts";
import { formatIsoTime } from "../../../iam/derived-keys.ts";
import type { CallErrorCode, CallRefusal, CallSuccess } from "../call-result.ts";

/** An answer on its way out. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Connect's codes with their HTTP status. */
const connectCodes = {
  invalid_argument: 400,
  failed_precondition: 400,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  already_exists: 409,
  aborted: 409,
  resource_exhausted: 429,
  internal: 500,
  unimplemented: 501,
  unavailable: 503,
} as const;

const codes: Readonly<Record<CallErrorCode, keyof typeof connectCodes>> = {
  NoSuchEntity: "not_found",
  EntityAlreadyExists: "already_exists",
  DeleteConflict: "failed_precondition",
  UnmodifiableEntity: "failed_precondition",
  LimitExceeded: "resource_exhausted",
  Throttling: "resource_exhausted",
  MalformedPolicyDocument: "invalid_argument",
  ValidationError: "invalid_argument",
  IdempotentParameterMismatch: "invalid_argument",
  AccessDenied: "permission_denied",
  InvalidClientTokenId: "unauthenticated",
  ExpiredToken: "unauthenticated",
  ConcurrentModification: "aborted",
  InvalidAction: "unimplemented",
  ServiceFailure: "internal",
  ServiceUnavailable: "unavailable",
};

/** Returns Connect's error in JSON, with AWS's code in its detail (API-1). */
export function errorAnswer({ code, message, resource, field }: CallRefusal): HttpAnswer {
  const connectCode = codes[code];
  const detail = create(IamErrorSchema, {
    code,
    message,
    resource: resource ?? "",
    field: field ?? "",
  });
  const body = {
    code: connectCode,
    message,
    details: [
      {
        type: IamErrorSchema.typeName,
        value: Buffer.from(toBinary(IamErrorSchema, detail)).toString("base64").replace(/=+$/, ""),
        debug: toJson(IamErrorSchema, detail),
      },
    ],
  };
  return {
    status: connectCodes[connectCode],
    headers: {
      ...(code === "Throttling" ? { "retry-after": "1" } : {}),
      ...(connectCode === "unauthenticated" ? { "www-authenticate": "Bearer" } : {}),
    },
    body: JSON.stringify(body),
  };
}

/** Returns the answer of a call: its members, the findings, and the revision in body and header. */
export function successAnswer({ answer, findings, position }: CallSuccess): HttpAnswer {
  const revision = `${position.epoch}.${position.revision}`;
  const shown = findings.map(({ code, severity, path, message }) => ({
    code,
    severity,
    path,
    message,
  }));
  const body = { ...answer, ...(shown.length === 0 ? {} : { findings: shown }), revision };
  return {
    status: 200,
    headers: { "x-mesh-iam-revision": revision },
    body: JSON.stringify(body, asWritten),
  };
}

/** Times are ISO 8601 (API-5). */
function asWritten(key: string, value: unknown): unknown {
  return key === "createDate" && typeof value === "number" ? formatIsoTime(value) : value;
}
