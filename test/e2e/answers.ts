import { expect } from "vitest";
import type { CheckOutcome } from "../../src/domain/request/outcome.ts";
import { type HttpRequest, headerValues } from "../fakes/http-client.ts";
import { type Asked, identitySeen } from "./authorizer.ts";
import type { Row } from "./decision-rows.ts";
import type { Tokens } from "./shop.ts";

/** What every answer behind Envoy must look like, whatever was asked. */

/** What of a row makes a request. */
export type Question = Pick<Row, "caller" | "target" | "host" | "headers">;

/** Returns the request of a row; its host is the orders service's unless it says otherwise. */
export function requestOf(row: Question, tokens: Tokens): HttpRequest {
  const [method = "", target = ""] = row.target.split(" ");
  const bearer = row.caller === null ? [] : [bearerOf(tokens[row.caller])];
  const host = row.host ?? "orders.example.com";
  return { method, target, host, headers: [...bearer, ...(row.headers ?? [])] };
}

export function bearerOf(token: string): readonly [string, string] {
  return ["authorization", `Bearer ${token}`];
}

/** The row's answer, with all that belongs to an allow or to a denial. Returns the outcome. */
export function expectAnswer(row: Row, asked: Asked): CheckOutcome {
  const { reply, outcome, seen } = asked;
  expect(outcome).toMatchObject({ answer: { reason: row.reason } });
  if (outcome === null) throw new Error("Envoy answered by itself");
  expect(reply.status).toBe(row.status);
  if (row.status === 200) {
    expect(seen).not.toBeNull();
    expectIdentity(row.principal, asked);
  } else {
    expect(seen).toBeNull();
    expectDenial(asked, outcome);
  }
  return outcome;
}

/**
 * The application is told of the caller by our headers, each once, and by none that a client sent.
 * `principal` null: of no caller; undefined: of whichever it is.
 */
export function expectIdentity(
  principal: string | null | undefined,
  { seen, outcome }: Pick<Asked, "seen" | "outcome">,
): void {
  const identity = identitySeen(seen);
  expect(identity["x-mesh-iam-decision-id"]).toBe(outcome?.decisionId);
  expect(identity["x-mesh-iam-revision"]).toBe(`${outcome?.epoch}.${outcome?.revision}`);
  const arn = identity["x-mesh-iam-principal"];
  if (principal !== undefined) expect(arn).toBe(principal ?? undefined);
  const isSession = arn?.includes(":assumed-role/") === true;
  expect(Object.keys(identity).sort()).toEqual(
    [
      ...(arn === undefined ? [] : ["x-mesh-iam-account", "x-mesh-iam-principal"]),
      ...(isSession ? ["x-mesh-iam-session"] : []),
      "x-mesh-iam-decision-id",
      "x-mesh-iam-revision",
    ].sort(),
  );
  if (arn !== undefined) expect(identity["x-mesh-iam-account"]).toBe(arn.split(":")[4]);
}

/** A denial has AWS's body with the decision's id, and asks for a credential where one is missing. */
function expectDenial({ reply }: Asked, outcome: CheckOutcome): void {
  expect(headerValues(reply, "content-type")).toEqual(["application/json"]);
  expect(headerValues(reply, "cache-control")).toEqual(["no-store"]);
  expect(JSON.parse(reply.body)).toEqual({
    __type: expect.any(String),
    message: expect.any(String),
    decisionId: outcome.decisionId,
  });
  // Not verbose: neither which policy nor why.
  expect(reply.body).not.toContain("arn:");
  expect(reply.body).not.toContain(outcome.answer.reason);
  expect(headerValues(reply, "x-ext-auth-reason")).toEqual([]);
  expect(headerValues(reply, "www-authenticate")).toEqual(reply.status === 401 ? ["Bearer"] : []);
}
