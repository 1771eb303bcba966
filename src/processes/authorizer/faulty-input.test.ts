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
} from "../../../test/fakes/documents.ts";
import { metricSum } from "../../../test/fakes/metric-sum.ts";
import { as, documents, login, one, person } from "../../../test/fakes/orders.ts";
import { directoryOf, startPipeline } from "../../../test/fakes/pipeline.ts";

describe("a repeated header (KEY-8)", () => {
  const twice: Written = {
    encoding: "header_map",
    headers: { authorization: `Bearer ${person("ana")}`, "x-flag": ["go", "stop"] },
  };

  test.each([
    ["raw, twice", twice],
    ["joined", { ...twice, encoding: "headers" } as const],
  ])(
    "is refused where a candidate reads it, and not looked at elsewhere: %s",
    async (_why, sent) => {
      const pipeline = await startPipeline({ documents });
      const flagged = pipeline.ask({ path: "/flagged", ...sent });
      expect(flagged.answer).toMatchObject({ status: 400, reason: "ambiguous-header" });
      expect(flagged.cache).toBe("bypass");
      expect(pipeline.ask({ ...one, ...sent }).answer.reason).toBe("identity-policy");
    },
  );
});

describe("a poisoned object (BUN-5)", () => {
  const poisoned = async (kind: "users" | "managedPolicies", name: string) => {
    const pipeline = await startPipeline({ documents });
    const directory = directoryOf(documents);
    const found = directory[kind].find((entity) => entity.name === name);
    const poison = { objectId: found?.id ?? "", kind, reason: "unreadable" };
    await pipeline.activate({ ...directory, poison: [poison] });
    return pipeline;
  };

  test("is an error of those it applies to, and of nobody else", async () => {
    const pipeline = await poisoned("managedPolicies", "reading");
    const bob = pipeline.ask({ ...one, ...as("bob") });
    expect(bob.answer).toMatchObject({ status: 503, reason: "evaluation-error" });
    expect(bob.decision).toMatchObject({ decision: "implicitDeny", errors: ["policy-unusable"] });
    expect(pipeline.ask({ ...one, ...as("ana") }).answer.reason).toBe("identity-policy");
    expect(pipeline.ask({ path: "/catalogue" }).answer.reason).toBe("resource-policy");
    const metrics = await pipeline.metrics();
    expect(metricSum(metrics, "mesh_iam_bundle_poisoned_objects")).toBe(1);
    const events = pipeline.log.records().map(({ event }) => event);
    expect(events).toContain("bundle-poisoned");
  });

  test("an error is never remembered", async () => {
    const pipeline = await poisoned("users", "ana");
    for (const _again of [1, 2]) {
      expect(pipeline.ask({ ...one, ...as("ana") })).toMatchObject({
        cache: "bypass",
        answer: { reason: "evaluation-error" },
      });
    }
    await pipeline.load(documents);
    expect(pipeline.ask({ ...one, ...as("ana") }).answer.reason).toBe("identity-policy");
  });

  test("a service: what was meant for it is not judged by the service that is left", async () => {
    const open = (name: string) =>
      service(name, [route("GET /v1/{id}", "Get", "thing/{id}")], {
        hosts: [`${name}.example.com`],
        resourcePolicy: policy(allow(`${name}:Get`, { Principal: "*" })),
      });
    const given = [...organization(login.jwks), open("ledger"), open("notes")];
    const pipeline = await startPipeline({ documents: given });
    const directory = directoryOf(given);
    const [ledger] = directory.services.filter(({ name }) => name === "ledger");
    await pipeline.activate({
      ...directory,
      services: directory.services.filter((one) => one !== ledger),
      poison: [{ objectId: ledger?.id ?? "", kind: "service", reason: "unreadable" }],
    });
    const ask = (name: string) => pipeline.ask({ path: "/v1/7", host: `${name}.example.com` });
    expect(ask("ledger").answer).toMatchObject({ status: 503, reason: "evaluation-error" });
    expect(ask("notes").answer.reason).toBe("resource-policy");
  });

  test("a trust domain: its identities are not taken for nobody, whom no Deny names", async () => {
    const thief = spiffeIdOf("thief");
    const refused = policy(
      allow("orders:Get", { Principal: "*" }),
      deny("orders:Get", {
        Principal: "*",
        Condition: { StringEquals: { "mesh:SourceSpiffeId": thief } },
      }),
    );
    const given = [
      ...organization(login.jwks),
      service("orders", [route("GET /v1", "Get", "v1")], { resourcePolicy: refused }),
    ];
    const pipeline = await startPipeline({ documents: given });
    const ask = (sourcePrincipal: string) => pipeline.ask({ path: "/v1", sourcePrincipal });
    expect(ask(thief).answer.reason).toBe("explicit-deny");
    const directory = directoryOf(given);
    const [domain] = directory.trustDomains;
    const poison = [{ objectId: domain?.id ?? "", kind: "trustDomain", reason: "unreadable" }];
    await pipeline.activate({ ...directory, trustDomains: [], poison });
    expect(ask(thief).answer).toMatchObject({ status: 503, reason: "evaluation-error" });
    expect(ask("").answer.reason).toBe("resource-policy");
    await pipeline.activate({ ...directory, trustDomains: [] });
    expect(ask(thief).answer.reason).toBe("resource-policy");
  });
});
