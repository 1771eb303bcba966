import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { createDecoder } from "../../src/adapters/envoy/decode.ts";
import { createEncoder } from "../../src/adapters/envoy/encode.ts";
import { isDenied } from "../../src/domain/request/denied.ts";
import type { CheckOutcome } from "../../src/domain/request/outcome.ts";
import {
  CheckRequestSchema,
  CheckResponseSchema,
} from "../../src/gen/envoy/service/auth/v3/external_auth_pb.ts";
import type { Principal } from "../../src/iam/principal.ts";
import { fakeOutcome, fakeService } from "../../test/fakes/check-outcome.ts";
import { createCheckCorpus } from "../corpus/check-requests.ts";
import { account, userName } from "../corpus/organization.ts";
import { createTokenSource } from "../corpus/tokens.ts";
import { rotate, type Subject } from "./subject.ts";

/** Copies of a message, so that none is served from the first cache line (performance 4.5). */
const copies = 64;

/** The scanner, and what a Check with a known token reads of what it found. */
export function decodeOurs(): Subject {
  const next = rotate(messages());
  const decoder = createDecoder();
  return {
    type: "loop",
    call() {
      const view = decoder.decode(next());
      if (isDenied(view)) throw new Error(view.detail);
      const token = view.headerSpan("authorization");
      return (
        view.method.length +
        view.target.length +
        view.host.length +
        view.sourcePrincipal.length +
        (view.sourceAddress ?? "").length +
        (token === null ? 0 : token.end - token.start)
      );
    },
  };
}

/** protobuf-es, and the same fields. */
export function decodeTheirs(): Subject {
  const next = rotate(messages());
  return {
    type: "loop",
    call() {
      const { attributes } = fromBinary(CheckRequestSchema, next());
      const http = attributes?.request?.http;
      const address = attributes?.source?.address?.address;
      return (
        (http?.method.length ?? 0) +
        (http?.path.length ?? 0) +
        (http?.host.length ?? 0) +
        (attributes?.source?.principal.length ?? 0) +
        (address?.case === "socketAddress" ? address.value.address.length : 0) +
        (http?.headers.authorization?.length ?? 0)
      );
    },
  };
}

/** The encoder on outcomes of several callers. */
export function encodeOurs(): Subject {
  const next = rotate(outcomes());
  const encoder = createEncoder();
  return { type: "loop", call: () => encoder.encode(next()).length };
}

/** protobuf-es on the very same answers. */
export function encodeTheirs(): Subject {
  const encoder = createEncoder();
  const next = rotate(outcomes().map((outcome) => initOf(encoder.encode(outcome))));
  return {
    type: "loop",
    call: () => toBinary(CheckResponseSchema, create(CheckResponseSchema, next())).length,
  };
}

function messages(): readonly Buffer[] {
  return createCheckCorpus(createTokenSource(Date.now()), copies, copies).allowed;
}

function outcomes(): CheckOutcome[] {
  const service = fakeService("orders");
  const removeHeaders = Object.freeze(["authorization"]);
  return Array.from({ length: copies }, (_, n) => {
    const name = userName(n);
    const principal: Principal = {
      type: "user",
      account,
      arn: `arn:aws:iam::${account}:user/${name}`,
      name,
      id: null,
      tags: new Map(),
    };
    const outcome = fakeOutcome("identity-policy", {
      decisionId: `0123456789abcdef-${String(n).padStart(11, "0")}`,
      principal,
      service,
      removeHeaders,
      resource: `arn:aws:orders:eu-west-1:${account}:shop/shop-000007/order/${7_000_000_000 + n}`,
    });
    const matchedStatements = [
      { policyType: "identity", policyId: `p${n}`, sid: "", index: 0, effect: "Allow" },
    ] as const;
    return { ...outcome, decision: { ...outcome.decision, matchedStatements } };
  });
}

/** The answer as somebody would write it for `create`. */
function initOf(bytes: Uint8Array): MessageInitShape<typeof CheckResponseSchema> {
  const { httpResponse, dynamicMetadata } = fromBinary(CheckResponseSchema, bytes);
  if (httpResponse.case !== "okResponse") throw new Error("expected an allow");
  const { headers, headersToRemove } = httpResponse.value;
  return {
    status: {},
    httpResponse: {
      case: "okResponse",
      value: {
        headers: headers.map(({ header, append, appendAction }) => ({
          header: { key: header?.key ?? "", value: header?.value ?? "" },
          ...(append === undefined ? {} : { append }),
          appendAction,
        })),
        headersToRemove: [...headersToRemove],
      },
    },
    ...(dynamicMetadata === undefined ? {} : { dynamicMetadata: { ...dynamicMetadata } }),
  };
}
