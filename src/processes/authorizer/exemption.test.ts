import { describe, expect, test } from "vitest";
import type { Written } from "../../../test/fakes/check-request.ts";
import {
  allow,
  deny,
  organization,
  policy,
  route,
  service,
  spiffeIdOf,
  user,
} from "../../../test/fakes/documents.ts";
import { as, bearer, documents, guard, login, withService } from "../../../test/fakes/orders.ts";
import { startPipeline } from "../../../test/fakes/pipeline.ts";
import type { Reason } from "../../iam/reason.ts";

describe("authType NONE (T-DEC-35)", () => {
  const open = (more: object) =>
    service("open", [route("GET /look", "Look", "open"), route("GET /shut", "Shut", "shut")], {
      authType: "NONE",
      ...more,
    });
  const denyShut = policy(deny("open:Shut", { Principal: "*" }));
  const closed = [guard("ResourceControlPolicy", "no-look", "open:Look", { Principal: "*" })];

  test.each([
    ["a good token", as("ana")],
    ["a bad token", bearer("abc")],
    ["no token", {}],
    ["two tokens", { encoding: "header_map", headers: { authorization: ["a", "b"] } } as const],
    ["a certificate", { sourcePrincipal: spiffeIdOf("checkout") }],
  ])("%s: nobody is authenticated, Deny statements bind", async (_why, credentials) => {
    const pipeline = await startPipeline({
      documents: withService(open({ resourcePolicy: denyShut })),
    });
    const look = pipeline.ask({ path: "/look", ...credentials });
    expect(look.answer).toMatchObject({ type: "allow", reason: "authentication-not-required" });
    expect(look.principal).toEqual({ type: "anonymous" });
    expect(look.authMethod).toBe("none");
    expect(look.removeHeaders).toContain("authorization");
    const shut = pipeline.ask({ path: "/shut", ...credentials });
    expect(shut.answer).toMatchObject({ status: 403, reason: "explicit-deny" });
    expect(shut.decision.deniedBy).toBe("resource");
    await pipeline.settled();
    expect(pipeline.recorder.selfCheck).toMatchObject({ samples: 2, mismatches: 0 });
  });

  test("KEY-12 the peer of the connection is a fact: a Deny that names it binds", async () => {
    const notToThieves = policy(
      deny("open:Look", {
        Principal: "*",
        Condition: { StringEquals: { "mesh:SourceServiceAccount": "thief" } },
      }),
    );
    const pipeline = await startPipeline({
      documents: withService(open({ resourcePolicy: notToThieves })),
    });
    const from = (sourcePrincipal: string) => pipeline.ask({ path: "/look", sourcePrincipal });
    const shut = from(spiffeIdOf("thief"));
    expect(shut.answer).toMatchObject({ status: 403, reason: "explicit-deny" });
    expect(shut).toMatchObject({ principal: { type: "anonymous" }, authMethod: "none" });
    for (const peer of [spiffeIdOf("checkout"), spiffeIdOf("thief", "shop", "else.example"), ""]) {
      expect(from(peer).answer.reason).toBe("authentication-not-required");
    }
  });

  test("an RCP binds too", async () => {
    const pipeline = await startPipeline({ documents: [...withService(open({})), ...closed] });
    const look = pipeline.ask({ path: "/look" });
    expect(look.answer).toMatchObject({ status: 403, reason: "rcp" });
    expect(look.decision).toMatchObject({ decision: "explicitDeny", deniedBy: "resourceControl" });
  });
});

describe("preflights", () => {
  const preflight = (headers: Record<string, string | string[]>): Written => ({
    method: "OPTIONS",
    path: "/orders/1",
    encoding: "header_map",
    headers,
  });
  const origin = "https://a.example";

  test.each<[why: string, headers: Record<string, string | string[]>, reason: Reason]>([
    [
      "of a declared route",
      { origin, "access-control-request-method": "PUT" },
      "authentication-not-required",
    ],
    [
      "of a method without a route",
      { origin, "access-control-request-method": "PATCH" },
      "route-not-found",
    ],
    ["without an origin", { "access-control-request-method": "PUT" }, "route-not-found"],
    [
      "with two methods",
      { origin, "access-control-request-method": ["GET", "PUT"] },
      "route-not-found",
    ],
  ])("%s", async (_why, headers, reason) => {
    const pipeline = await startPipeline({ documents });
    expect(pipeline.ask(preflight(headers)).answer.reason).toBe(reason);
    // The answer hangs on headers that no cache compares: it is given anew each time.
    expect(pipeline.ask(preflight(headers)).cache).toBe("bypass");
  });

  test("an OPTIONS request that is none never answers for one, nor one for it", async () => {
    const both = service(
      "orders",
      [route("GET /o", "Get", "o"), route("OPTIONS /o", "Options", "o")],
      { cors: true },
    );
    const world = [...organization(login.jwks), user("ana", [allow("orders:Options")]), both];
    const pipeline = await startPipeline({ documents: world });
    const plain = { method: "OPTIONS", path: "/o", ...as("ana") };
    const asked = { origin, "access-control-request-method": "GET" };
    const preflight = { ...plain, headers: { ...plain.headers, ...asked } };
    for (const _again of [1, 2]) {
      expect(pipeline.ask(plain)).toMatchObject({
        action: "orders:Options",
        answer: { reason: "identity-policy" },
        cache: "bypass",
      });
      expect(pipeline.ask(preflight)).toMatchObject({
        action: "orders:Get",
        answer: { reason: "authentication-not-required" },
        principal: { type: "anonymous" },
      });
    }
  });

  test("a Deny on the asked-for action refuses it", async () => {
    const pipeline = await startPipeline({ documents });
    const asked = {
      ...preflight({ origin, "access-control-request-method": "GET" }),
      path: "/vault",
    };
    expect(pipeline.ask(asked).answer).toMatchObject({ status: 403, reason: "explicit-deny" });
  });
});
