import { create } from "@bufbuild/protobuf";
import { HeaderValueOptionSchema } from "../../src/gen/envoy/config/core/v3/base_pb.ts";
import {
  type CheckRequest,
  type CheckResponse,
  CheckResponseSchema,
} from "../../src/gen/envoy/service/auth/v3/external_auth_pb.ts";

/**
 * What the yardstick answers: OK with three overwriting headers, made anew for each request, after one
 * look at a header. The obvious authorizer that decides nothing (performance 4.6).
 */
export function answerNothing(request: CheckRequest): CheckResponse {
  const http = request.attributes?.request?.http;
  const caller = http?.headers.authorization === undefined ? "anonymous" : "somebody";
  return create(CheckResponseSchema, {
    status: {},
    httpResponse: {
      case: "okResponse",
      value: {
        headers: [
          header("x-mesh-iam-account", "111122223333"),
          header("x-mesh-iam-decision-id", "0123456789abcdef-0000000001"),
          header("x-mesh-iam-principal", `arn:aws:iam::111122223333:user/${caller}`),
        ],
      },
    },
  });
}

function header(key: string, value: string) {
  return create(HeaderValueOptionSchema, {
    header: { key, value },
    append: false,
    appendAction: 2,
  });
}
