import { fromBinary } from "@bufbuild/protobuf";
import type { HeaderValueOption } from "../../gen/envoy/config/core/v3/base_pb.ts";
import {
  CheckResponseSchema,
  type DeniedHttpResponse,
} from "../../gen/envoy/service/auth/v3/external_auth_pb.ts";

/** A header of an answer; `append`: joined to what is there, and nothing where nothing is. */
export interface HeaderMutation {
  readonly name: string;
  readonly value: string;
  readonly append: boolean;
}

/** What a proxy is to do: the three outcomes of envoy-ext-authz 2.1. */
export type CheckReply =
  | {
      readonly type: "ok";
      /** To the request, before `remove`. */
      readonly set: readonly HeaderMutation[];
      /** Lower-case names, pseudo-headers and `host` never among them. */
      readonly remove: readonly string[];
      /** To the response that the application gives. */
      readonly responseHeaders: readonly HeaderMutation[];
    }
  | {
      readonly type: "denied";
      readonly status: number;
      /** In order; a name may come more than once. */
      readonly headers: readonly (readonly [name: string, value: string])[];
      readonly body: string;
    }
  | { readonly type: "error"; readonly detail: string };

const forbidden = 403;

/**
 * Returns what Envoy 1.38 or later does with a serialised CheckResponse. `status.code` alone allows,
 * an absent one included; `error_response` is an error; bytes that are no message are one too.
 * Source: envoy-ext-authz 0.1, 1.2, 2.1.
 */
export function readCheckReply(bytes: Uint8Array): CheckReply {
  let message: ReturnType<typeof parse>;
  try {
    message = parse(bytes);
  } catch {
    return { type: "error", detail: "the answer is no CheckResponse" };
  }
  const { status, httpResponse } = message;
  if ((status?.code ?? 0) === 0) {
    const ok = httpResponse.case === "okResponse" ? httpResponse.value : null;
    return {
      type: "ok",
      set: (ok?.headers ?? []).map(mutation),
      remove: (ok?.headersToRemove ?? [])
        .map((name) => name.toLowerCase())
        .filter((name) => !name.startsWith(":") && name !== "host"),
      responseHeaders: (ok?.responseHeadersToAdd ?? []).map(mutation),
    };
  }
  if (httpResponse.case === "errorResponse") return { type: "error", detail: "error_response" };
  return denied(httpResponse.case === "deniedResponse" ? httpResponse.value : null);
}

function parse(bytes: Uint8Array) {
  return fromBinary(CheckResponseSchema, bytes);
}

function denied(response: DeniedHttpResponse | null): CheckReply {
  const status = response?.status?.code ?? 0;
  return {
    type: "denied",
    status: status === 0 ? forbidden : status,
    headers: (response?.headers ?? [])
      .map(mutation)
      // Of a denial Envoy applies only what is set.
      .filter(({ append }) => !append)
      .map(({ name, value }) => [name, value] as const),
    body: response?.body ?? "",
  };
}

// Envoy reads `append` where it is there, and takes an absent one for false.
function mutation({ header, append }: HeaderValueOption): HeaderMutation {
  return {
    name: (header?.key ?? "").toLowerCase(),
    value: header?.value ?? "",
    append: append ?? false,
  };
}
