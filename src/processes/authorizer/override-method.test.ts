import { describe, expect, test } from "vitest";
import type { Written } from "../../../test/fakes/check-request.ts";
import { allow, organization, route, service, user } from "../../../test/fakes/documents.ts";
import { login, person } from "../../../test/fakes/orders.ts";
import { startPipeline } from "../../../test/fakes/pipeline.ts";
import type { Reason } from "../../iam/reason.ts";

describe("methodOverride: both", () => {
  const overriding = service(
    "orders",
    [
      route("GET /o/{id}", "GetOrder", "order/{id}"),
      route("PUT /o/{id}", "PutOrder", "order/{id}", { tags: { risk: "high" } }),
      route("DELETE /o/{id}", "DeleteOrder", "order/{id}"),
    ],
    { request: { methodOverride: "both" } },
  );
  const world = [
    ...organization(login.jwks),
    user("all", [allow("orders:*")]),
    user("reader", [allow("orders:GetOrder")]),
    user("writer", [allow("orders:PutOrder")]),
    overriding,
  ];
  const asking = (name: string, method: string, override?: string): Written => ({
    method,
    path: "/o/1",
    headers: {
      authorization: `Bearer ${person(name)}`,
      ...(override === undefined ? {} : { "x-http-method-override": override }),
    },
  });

  test.each<[who: string, method: string, override: string, reason: Reason, action: string]>([
    ["all", "GET", "PUT", "identity-policy", "orders:PutOrder"],
    ["reader", "GET", "PUT", "implicit-deny", "orders:PutOrder"],
    ["writer", "GET", "PUT", "implicit-deny", "orders:GetOrder"],
    ["writer", "PUT", "GET", "implicit-deny", "orders:GetOrder"],
    ["reader", "GET", "GET", "identity-policy", "orders:GetOrder"],
    ["all", "GET", "PATCH", "route-not-found", ""],
  ])("%s asks %s overridden by %s: %s", async (who, method, override, reason, action) => {
    const pipeline = await startPipeline({ documents: world });
    for (const _again of [1, 2]) {
      const outcome = pipeline.ask(asking(who, method, override));
      expect(outcome.answer.reason).toBe(reason);
      // What is told is the request that decided.
      if (action !== "") expect(outcome.action).toBe(action);
      expect(outcome.cache).toBe("bypass");
    }
    await pipeline.settled();
    expect(pipeline.recorder.selfCheck.mismatches).toBe(0);
  });

  test("the riskier of the two decides how old a bundle may be", async () => {
    const pipeline = await startPipeline({
      documents: world,
      sets: ["staleness.denyHighRiskAfterSeconds=60"],
    });
    await pipeline.clock.advance(61_000);
    expect(pipeline.ask(asking("all", "GET")).answer.reason).toBe("identity-policy");
    expect(pipeline.ask(asking("all", "GET", "DELETE")).answer.reason).toBe("identity-policy");
    expect(pipeline.ask(asking("all", "GET", "PUT")).answer.reason).toBe("bundle-stale");
    expect(pipeline.ask(asking("all", "PUT", "GET")).answer.reason).toBe("bundle-stale");
  });
});
