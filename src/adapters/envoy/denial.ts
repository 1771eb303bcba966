import type { DenialStatus } from "../../domain/request/outcome.ts";
import type { Reason } from "../../iam/reason.ts";
import { bareMetadata } from "./dynamic-metadata.ts";
import { headerOption } from "./header-option.ts";
import { build } from "./wire-writer.ts";

/** Bytes of a denial's body, at most (envoy-ext-authz, R9). */
const maxBodyBytes = 4096;

interface StatusWords {
  /** `status.code` of the CheckResponse: a gRPC status, never 0. */
  readonly code: number;
  /** The `grpc-status` entry, where Envoy would map the HTTP status to another one; else null. */
  readonly grpcStatus: string | null;
  /** AWS's error name. */
  readonly type: string;
  readonly message: string;
}

// envoy-ext-authz, R2. The error names are AWS's common errors.
const statusWords: Readonly<Record<DenialStatus, StatusWords>> = {
  400: {
    code: 3,
    grpcStatus: "3",
    type: "ValidationException",
    message: "the request is not accepted in this form",
  },
  401: {
    code: 16,
    grpcStatus: null,
    type: "InvalidIdentityToken",
    message: "the credential is not accepted",
  },
  403: {
    code: 7,
    grpcStatus: null,
    type: "AccessDeniedException",
    message: "not authorized to perform this action",
  },
  404: { code: 5, grpcStatus: "5", type: "ResourceNotFoundException", message: "not found" },
  429: { code: 8, grpcStatus: "8", type: "ThrottlingException", message: "too many requests" },
  503: {
    code: 14,
    grpcStatus: null,
    type: "ServiceUnavailable",
    message: "the authorizer cannot decide now",
  },
};

// iam-semantics, MSG-2: a missing, an expired and a forged credential have names of their own.
const credentialWords: Partial<Record<Reason, Pick<StatusWords, "type" | "message">>> = {
  unauthenticated: {
    type: "MissingAuthenticationToken",
    message: "a credential is required to perform this action",
  },
  "client-certificate-required": {
    type: "MissingAuthenticationToken",
    message: "a client certificate is required to perform this action",
  },
  "token-expired": { type: "ExpiredToken", message: "the credential has expired" },
  "token-signature": {
    type: "SignatureDoesNotMatch",
    message: "the signature of the credential does not match",
  },
  "principal-not-mapped": {
    type: "AccessDeniedException",
    message: "the credential names nobody who is known here",
  },
};

const cacheControl = headerOption("cache-control", "no-store");
const contentType = headerOption("content-type", "application/json");
const bearer = headerOption("www-authenticate", "Bearer");

/** What a denial's bytes depend on beside the decision id. */
export interface DenialForm {
  readonly reason: Reason;
  readonly status: DenialStatus;
  /** gRPC callers get one line of text, which Envoy makes their grpc-message. */
  readonly grpc: boolean;
  /** Tells the caller the reason. */
  readonly verbose: boolean;
  /** AWS's sentence instead of the constant message; null: the constant. */
  readonly sentence: string | null;
}

/**
 * Returns `status` and `denied_response` of a denial: the CheckResponse without its metadata.
 *
 * The code is never 0 and the HTTP status is always written, so no Envoy takes it for an allow or
 * for an error. Header entries come in ascending order of their names. Source: envoy-ext-authz R1,
 * R2, R4, R9.
 */
export function deniedResponse(form: DenialForm, decisionId: string): Buffer {
  const words = statusWords[form.status];
  const code = form.reason === "internal" ? 13 : words.code;
  return build((writer) => {
    writer.text(3, body(form, decisionId));
    // From the last name to the first.
    if (form.verbose) writer.bytes(headerOption("x-ext-auth-reason", form.reason));
    if (form.status === 401) writer.bytes(bearer);
    if (form.grpc) {
      if (words.grpcStatus !== null) writer.bytes(headerOption("grpc-status", words.grpcStatus));
    } else {
      writer.bytes(contentType);
      writer.bytes(cacheControl);
    }
    const httpStatus = writer.length;
    writer.uint(1, form.status);
    writer.delimit(1, httpStatus);
    writer.delimit(2, 0);

    const status = writer.length;
    writer.text(2, form.reason);
    writer.uint(1, code);
    writer.delimit(1, status);
  });
}

function body(form: DenialForm, decisionId: string): string {
  const words = credentialWords[form.reason] ?? statusWords[form.status];
  const type = form.status === 401 ? words.type : statusWords[form.status].type;
  const constant = form.status === 401 ? words.message : statusWords[form.status].message;
  let message = form.verbose ? (form.sentence ?? constant) : constant;
  for (;;) {
    const text = form.grpc ? grpcLine(message, decisionId) : json(type, message, decisionId);
    if (Buffer.byteLength(text) <= maxBodyBytes) return text;
    message = `${message.slice(0, message.length >>> 1)}...`;
  }
}

function json(type: string, message: string, decisionId: string): string {
  return JSON.stringify({ __type: type, message, decisionId });
}

function grpcLine(message: string, decisionId: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a line has none of them
  const line = message.toWellFormed().replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ");
  return `${line} (decision ${decisionId})`;
}

/**
 * Returns a whole CheckResponse for a Check that has no outcome: 503 with reason `internal`,
 * `deadline` or `overloaded`, whatever the request was. For the places where nothing else is left
 * to answer with; it reads nothing that can fail. Source: envoy-ext-authz R2, R3; HDR-010, HDR-011.
 */
export function lastResortDenial(
  reason: "internal" | "deadline" | "overloaded",
  decisionId: string,
): Buffer {
  const form: DenialForm = { reason, status: 503, grpc: false, verbose: false, sentence: null };
  return Buffer.concat([deniedResponse(form, decisionId), bareMetadata(reason, decisionId)]);
}

/** Returns the answer to a Check in which something was thrown: 503, code 13, reason `internal`. */
export function internalDenial(decisionId: string): Buffer {
  return lastResortDenial("internal", decisionId);
}
