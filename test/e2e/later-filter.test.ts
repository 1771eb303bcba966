import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requestOf } from "./answers.ts";
import { type Mesh, soon, startMesh, startTimeoutMs, variants } from "./authorizer.ts";
import { type Row, reports, userArn } from "./decision-rows.ts";
import { envoyForTests } from "./envoy.ts";
import type { EnvoyConfig } from "./envoy-config.ts";
import { issueTokens, shopDocuments } from "./shop.ts";

/*
 * A filter of Envoy's own behind ours that reads what we decided: decide in mesh-iam, enforce in native
 * RBAC (envoy-ext-authz 2.5).
 */

const binary = (await envoyForTests()) ?? "";
const { tokens, jwks } = issueTokens(Date.now());

/** Returns a principal of RBAC: whoever our metadata say this of. */
function whose(key: string, exact: string) {
  const matcher = {
    filter: "envoy.filters.http.ext_authz",
    path: [{ key }],
    value: { string_match: { exact } },
  };
  return { sourced_metadata: { metadata_matcher: matcher } };
}

const rbac = {
  name: "envoy.filters.http.rbac.later",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
    rules: {
      action: "DENY",
      policies: {
        "would-be-denied": {
          permissions: [{ any: true }],
          principals: [whose("shadow_decision", "explicitDeny")],
        },
        "bob-is-on-leave": {
          permissions: [{ any: true }],
          principals: [whose("principal_arn", userArn("bob"))],
        },
      },
    },
  },
};

/** Puts `filter` behind all others but the router. */
function withLaterFilter(config: EnvoyConfig, filter: object): EnvoyConfig {
  const edited = structuredClone(config) as {
    static_resources: {
      listeners: { filter_chains: { filters: { typed_config: { http_filters: object[] } }[] }[] }[];
    };
  };
  const manager = edited.static_resources.listeners[0]?.filter_chains[0]?.filters[0];
  manager?.typed_config.http_filters.splice(-1, 0, filter);
  return edited;
}

const rows: readonly (Pick<Row, "why" | "caller" | "target" | "host"> & {
  readonly status: number;
  readonly details: string;
})[] = [
  {
    why: "an allow that no rule forbids",
    caller: "ana",
    target: "GET /v1/orders/42",
    status: 200,
    details: "via_upstream",
  },
  {
    why: "an allow that a rule on our principal forbids",
    caller: "bob",
    target: "GET /v1/orders/42",
    status: 403,
    details: "rbac_access_denied_matched_policy[bob-is-on-leave]",
  },
  {
    why: "our own denial comes first",
    caller: "bob",
    target: "POST /v1/orders",
    status: 403,
    details: "ext_authz_denied",
  },
  {
    why: "in shadow mode, a Deny that the rule enforces",
    caller: "courier",
    target: "GET /reports/secret",
    host: reports,
    status: 403,
    details: "rbac_access_denied_matched_policy[would-be-denied]",
  },
  {
    why: "in shadow mode, what merely is not allowed",
    caller: "ana",
    target: "GET /reports/q3",
    host: reports,
    status: 200,
    details: "via_upstream",
  },
];

describe.skipIf(binary === "")("a filter of Envoy's behind ours", () => {
  describe.each(variants)("$name", ({ shape, unix }) => {
    let mesh: Mesh;

    beforeAll(async () => {
      const edit = (config: EnvoyConfig) => withLaterFilter(config, rbac);
      mesh = await startMesh({ binary, shape, unix, documents: shopDocuments(jwks), edit });
    }, startTimeoutMs);
    afterAll(async () => {
      await mesh?.close();
    });

    test.each(rows)("$why: $status", async ({ status, details, ...row }) => {
      const { reply, outcome, seen } = await mesh.ask(requestOf(row, tokens));
      expect([reply.status, seen === null]).toEqual([status, status !== 200]);
      const line = async () =>
        (await mesh.envoy.accessLog(1)).find(({ decision_id: id }) => id === outcome?.decisionId);
      await expect.poll(line, soon).toMatchObject({ status, details });
    });

    test("Envoy has nothing to say against the rules: no field of them is deprecated", () => {
      expect(mesh.envoy.log()).toBe("");
    });
  });
});
