import { expect, test } from "vitest";
import { deniedResponse } from "../src/adapters/envoy/denial.ts";
import { errorCodeOf } from "../src/domain/request/error-code.ts";
import { outcomeOf, reasons } from "../src/iam/reason.ts";
import { statusOf } from "../src/processes/authorizer/answer.ts";

const denials = reasons.filter((reason) => outcomeOf(reason) !== "allow");

test.each(denials)("%s: the caller and the decision log are told the same error", (reason) => {
  const status = statusOf(reason);
  const form = { reason, status, grpc: false, verbose: false, sentence: null };
  const bytes = deniedResponse(form, "00000000-0000-4000-8000-000000000001");
  expect(bytes.toString("latin1")).toContain(`{"__type":"${errorCodeOf(reason, status)}",`);
});
