import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type CertificateAuthority,
  type CertificatePair,
  createCertificateAuthority,
} from "../../src/adapters/keys/certificate-authority.ts";
import { arnOf } from "../../src/iam/principal.ts";
import type { Reason } from "../../src/iam/reason.ts";
import {
  allow,
  type Document,
  type Json,
  organization,
  partner,
  policy,
  route,
  service,
  shop,
  spiffeIdOf,
  user,
  workload,
} from "../fakes/documents.ts";
import { type ClientTls, grpcRequest, headerValues } from "../fakes/http-client.ts";
import { bearerOf } from "./answers.ts";
import { type Mesh, soon, startMesh, startTimeoutMs, variants } from "./authorizer.ts";
import { userArn } from "./decision-rows.ts";
import { envoyForTests } from "./envoy.ts";
import { strictConfig } from "./envoy-config.ts";
import { issueTokens, type Tokens } from "./shop.ts";

/*
 * Who calls, when the connection proves an identity and the request perhaps another: certificates as a
 * real Envoy verifies and shows them, in every combination with tokens that the rules of a service name.
 */

const binary = (await envoyForTests()) ?? "";
const { tokens, jwks } = issueTokens(Date.now());

const hourMs = 3_600_000;
const certificateNames = [
  "checkout",
  "twoUris",
  "dnsFirst",
  "partner",
  "foreign",
  "noAccount",
  "malformed",
  "dnsOnly",
  "subjectOnly",
] as const;
type CertificateName = (typeof certificateNames)[number];

const sans: Readonly<Record<CertificateName, readonly [uris: string[], dnsNames: string[]]>> = {
  checkout: [[spiffeIdOf("checkout")], []],
  twoUris: [[spiffeIdOf("checkout"), spiffeIdOf("admin")], []],
  dnsFirst: [[spiffeIdOf("checkout")], ["admin.shop.example"]],
  partner: [[spiffeIdOf("buyer", "partner")], []],
  foreign: [[spiffeIdOf("checkout", "shop", "evil.example")], []],
  noAccount: [[spiffeIdOf("checkout", "elsewhere")], []],
  malformed: [["spiffe://shop.example/ns/shop/../sa/checkout"], []],
  dnsOnly: [[], ["checkout.shop.example"]],
  subjectOnly: [[], []],
};

const workloadArn = (account: string, namespace: string, name: string) =>
  `arn:aws:iam::${account}:workload/shop.example/ns/${namespace}/sa/${name}`;
const checkout = workloadArn(shop, "shop", "checkout");

interface CertificateRow {
  readonly why: string;
  readonly shown: CertificateName | null;
  /** Null: the caller is anonymous. */
  readonly principal: string | null;
  /** Why the identity was not taken, as the decision log tells it. */
  readonly dropped?: string;
}

const certificates: readonly CertificateRow[] = [
  { why: "a URI SAN", shown: "checkout", principal: checkout },
  { why: "several URI SANs: Envoy tells the first", shown: "twoUris", principal: checkout },
  { why: "a URI SAN beside a DNS SAN", shown: "dnsFirst", principal: checkout },
  {
    why: "another namespace, another account",
    shown: "partner",
    principal: workloadArn(partner, "partner", "buyer"),
  },
  {
    why: "T-KEY-08: a foreign trust domain",
    shown: "foreign",
    principal: null,
    dropped: "foreign-trust-domain",
  },
  { why: "a namespace of no account", shown: "noAccount", principal: null, dropped: "no-account" },
  {
    why: "an id with dots in its path",
    shown: "malformed",
    principal: null,
    dropped: "spiffe-path",
  },
  { why: "a DNS SAN only", shown: "dnsOnly", principal: null, dropped: "spiffe-scheme" },
  { why: "a subject only", shown: "subjectOnly", principal: null, dropped: "spiffe-scheme" },
  { why: "no certificate", shown: null, principal: null },
];

interface RuleRow {
  readonly why: string;
  readonly host: string;
  readonly shown: CertificateName | null;
  readonly token: keyof Tokens | null;
  readonly status: number;
  readonly reason: Reason;
  readonly principal: string | null;
}

const ana = userArn("ana");
const everybody = "resource-policy";

function rule(
  why: string,
  host: string,
  shown: CertificateName | null,
  token: keyof Tokens | null,
  want: string | null | Reason,
): RuleRow {
  const isRefused = want !== null && !want.startsWith("arn:");
  return {
    why,
    host: `${host}.example.com`,
    shown,
    token,
    status: isRefused ? 401 : 200,
    reason: isRefused ? (want as Reason) : everybody,
    principal: isRefused ? null : want,
  };
}

const rules: readonly RuleRow[] = [
  rule("both: the token's principal", "jwt-first", "checkout", "ana", ana),
  rule(
    "a bad token is no reason to take the next",
    "jwt-first",
    "checkout",
    "expired",
    "token-expired",
  ),
  rule("a token of nobody neither", "jwt-first", "checkout", "dave", "principal-not-mapped"),
  rule("no token: the workload", "jwt-first", "checkout", null, checkout),
  rule("neither: anonymous", "jwt-first", null, null, null),
  rule("both: the workload comes first", "mtls-first", "checkout", "ana", checkout),
  rule(
    "a bad token is judged all the same",
    "mtls-first",
    "checkout",
    "tampered",
    "token-signature",
  ),
  rule("no certificate: the token's", "mtls-first", null, "ana", ana),
  rule("a token that nobody asked for", "mtls-only", "checkout", "tampered", checkout),
  rule("a token alone, not asked for", "mtls-only", null, "ana", null),
  rule("a certificate alone, not asked for", "jwt-only", "checkout", null, null),
  rule("both are required and there", "both", "checkout", "ana", ana),
  rule("the token is missing", "both", "checkout", null, "unauthenticated"),
  rule("the certificate is missing", "both", null, "ana", "client-certificate-required"),
  rule("both are missing", "both", null, null, "unauthenticated"),
  rule("one of them is bad", "both", "checkout", "unknownKey", "token-key"),
  rule("a required certificate, there", "certificate", "checkout", "ana", ana),
  rule("a required one, missing", "certificate", null, "ana", "client-certificate-required"),
  rule(
    "T-KEY-08: of a foreign domain",
    "certificate",
    "foreign",
    "ana",
    "client-certificate-required",
  ),
];

/** A service that lets everybody look, and tells by its answer which keys the request has. */
function judging(name: string, spec: Json): Document {
  const when = (action: string, condition: Json) =>
    allow(`${name}:${action}`, { Principal: "*", Condition: condition });
  const checkoutOnly = {
    "mesh:SourceSpiffeId": spiffeIdOf("checkout"),
    "mesh:SourceTrustDomain": "shop.example",
    "mesh:SourceNamespace": "shop",
    "mesh:SourceServiceAccount": "checkout",
  };
  return service(
    name,
    [
      route("GET /look", "Look", "all"),
      route("GET /from-checkout", "LookFromCheckout", "all"),
      route("GET /ana-from-checkout", "LookAsAna", "all"),
      route("GET /secure", "LookSecurely", "all"),
      route("look.v1.Look/Look", "Look", "all"),
    ],
    {
      ...spec,
      resourcePolicy: policy(
        allow(`${name}:Look`, { Principal: "*" }),
        when("LookFromCheckout", { StringEquals: checkoutOnly }),
        when("LookAsAna", { StringEquals: { ...checkoutOnly, "mesh:JwtClaim/sub": "user-ana" } }),
        when("LookSecurely", { Bool: { "aws:SecureTransport": "true" } }),
      ),
    },
  );
}

const documents = [
  ...organization(jwks),
  user("ana", []),
  // Across accounts both sides must allow.
  workload("buyer", [allow("*")], "partner", partner),
  judging("jwt-first", { principalFrom: ["session", "jwt", "mtls"] }),
  judging("mtls-first", { principalFrom: ["mtls", "jwt"] }),
  judging("mtls-only", { principalFrom: ["mtls"] }),
  judging("jwt-only", { principalFrom: ["jwt"] }),
  judging("both", { requireCredential: ["jwt", "mtls"] }),
  judging("certificate", { requireCredential: ["mtls"] }),
];

describe.skipIf(binary === "")("identities behind the real Envoy", () => {
  let authority: CertificateAuthority;
  let stranger: CertificateAuthority;
  let pairs: Readonly<Record<CertificateName, CertificatePair>>;

  beforeAll(async () => {
    authority = await createCertificateAuthority("e2e", new Date(), hourMs);
    stranger = await createCertificateAuthority("e2e", new Date(), hourMs);
    const issued = await Promise.all(
      certificateNames.map(async (name) => {
        const [uris, dnsNames] = sans[name];
        const request = { commonName: name, uris, dnsNames, ipAddresses: [] };
        return [name, await authority.issue(request)] as const;
      }),
    );
    pairs = Object.fromEntries(issued) as Record<CertificateName, CertificatePair>;
  });

  function tlsWith(shown: CertificateName | null): ClientTls {
    const ca = authority.certificate;
    if (shown === null) return { ca };
    return { ca, cert: pairs[shown].certificate, key: pairs[shown].privateKey };
  }

  describe.each(variants)("$name", ({ shape, unix }) => {
    const strict = shape === strictConfig;
    let mesh: Mesh;

    beforeAll(async () => {
      const server = await authority.issue({
        commonName: "envoy",
        uris: [spiffeIdOf("envoy")],
        dnsNames: ["localhost"],
        ipAddresses: [],
      });
      const tls = { ...server, clientAuthorities: authority.certificate };
      mesh = await startMesh({ binary, shape, unix, documents, tls });
    }, startTimeoutMs);
    afterAll(async () => {
      await mesh?.close();
    });

    const ask = (
      host: string,
      target: string,
      shown: CertificateName | null,
      token: keyof Tokens | null = null,
      headers: readonly (readonly [string, string])[] = [],
    ) =>
      mesh.ask({
        target,
        host,
        tls: tlsWith(shown),
        headers: [...(token === null ? [] : [bearerOf(tokens[token])]), ...headers],
      });

    test.each(certificates)("$why: $principal", async ({ shown, principal, dropped }) => {
      const { reply, outcome, seen } = await ask("jwt-first.example.com", "/look", shown);
      expect(reply.status).toBe(200);
      expect(outcome?.principal).not.toBeNull();
      expect(outcome?.principal && arnOf(outcome.principal)).toBe(principal);
      expect(headerValues(seen ?? { headers: [] }, "x-mesh-iam-principal")).toEqual(
        principal === null ? [] : [principal],
      );
      const record = () =>
        mesh.authorizer.decisions.records().find(({ eventID }) => eventID === outcome?.decisionId);
      await expect.poll(record, soon).toBeDefined();
      expect(record()?.droppedTokens).toEqual(
        dropped === undefined ? undefined : [{ type: "mtls", cause: dropped }],
      );
    });

    test.each(rules)("$host, $why: $status $reason $principal", async (row) => {
      const { reply, outcome, seen } = await ask(row.host, "/look", row.shown, row.token);
      expect([reply.status, outcome?.answer.reason]).toEqual([row.status, row.reason]);
      expect(seen === null).toBe(row.status !== 200);
      expect(headerValues(seen ?? { headers: [] }, "x-mesh-iam-principal")).toEqual(
        row.principal === null ? [] : [row.principal],
      );
      expect(headerValues(reply, "www-authenticate")).toEqual(row.status === 401 ? ["Bearer"] : []);
    });

    test.each([
      { why: "the workload calls", host: "jwt-first", shown: "checkout", token: null, is: true },
      {
        why: "a user calls through it",
        host: "jwt-first",
        shown: "checkout",
        token: "ana",
        is: true,
      },
      {
        why: "it is not the principal",
        host: "jwt-only",
        shown: "checkout",
        token: null,
        is: true,
      },
      { why: "another workload", host: "jwt-first", shown: "partner", token: null, is: false },
      { why: "another domain's", host: "jwt-first", shown: "foreign", token: null, is: false },
      { why: "nobody proves it", host: "jwt-first", shown: null, token: "ana", is: false },
    ] as const)("KEY-12, mesh:Source*, $why: $is", async ({ host, shown, token, is }) => {
      const { outcome } = await ask(`${host}.example.com`, "/from-checkout", shown, token);
      expect(outcome?.answer.type).toBe(is ? "allow" : "deny");
    });

    test.each([
      { host: "jwt-first", principal: "user" },
      { host: "mtls-first", principal: "workload" },
    ])("T-KEY-24, $host: one policy asks for a user and a workload", async (row) => {
      const host = `${row.host}.example.com`;
      const both = await ask(host, "/ana-from-checkout", "checkout", "ana");
      expect(both.reply.status).toBe(200);
      expect(both.outcome?.principal?.type).toBe(row.principal);
      expect((await ask(host, "/ana-from-checkout", "checkout")).seen).toBeNull();
      expect((await ask(host, "/ana-from-checkout", null, "ana")).seen).toBeNull();
    });

    test("a gRPC call over mTLS is the workload's too", async () => {
      const { reply, outcome } = await mesh.watch((address) =>
        grpcRequest(
          address,
          "/look.v1.Look/Look",
          { ":authority": "jwt-first.example.com" },
          tlsWith("checkout"),
        ),
      );
      expect(reply).toMatchObject({ httpStatus: 200, grpcStatus: "0" });
      expect(outcome?.principal && arnOf(outcome.principal)).toBe(checkout);
    });

    test("aws:SecureTransport: mTLS proves it, one-sided TLS only where Envoy shows a name", async () => {
      const host = "jwt-first.example.com";
      expect((await ask(host, "/secure", "checkout")).outcome?.answer.type).toBe("allow");
      expect((await ask(host, "/secure", "dnsOnly")).outcome?.answer.type).toBe("allow");
      expect((await ask(host, "/secure", null)).outcome?.answer.type).toBe("deny");
    });

    test("a forwarded client certificate of the client's own making proves nothing", async () => {
      const forged = `By=${spiffeIdOf("envoy")};URI=${spiffeIdOf("admin")}`;
      for (const shown of ["partner", null] as const) {
        const headers = [["x-forwarded-client-cert", forged]] as const;
        const { outcome, seen } = await ask("jwt-first.example.com", "/look", shown, null, headers);
        const principal = outcome?.principal && arnOf(outcome.principal);
        expect(principal).toBe(shown === null ? null : workloadArn(partner, "partner", "buyer"));
        const forwarded = headerValues(seen ?? { headers: [] }, "x-forwarded-client-cert");
        // SANITIZE_SET replaces it; APPEND_FORWARD leaves it to the left of the truth.
        if (strict || shown === null) expect(forwarded.join()).not.toContain("sa/admin");
        if (shown !== null) expect(forwarded.join()).toMatch(/URI=[^,]*sa\/buyer[^,]*$/);
      }
    });

    test("a certificate of another authority of the same name does not get in", async () => {
      const pair = await stranger.issue({
        commonName: "checkout",
        uris: [spiffeIdOf("checkout")],
        dnsNames: [],
        ipAddresses: [],
      });
      const tls = { ca: authority.certificate, cert: pair.certificate, key: pair.privateKey };
      const asked = await mesh.ask({ target: "/look", host: "jwt-first.example.com", tls }).then(
        ({ reply }) => reply.status,
        () => 0,
      );
      expect(asked).toBe(0);
      expect(mesh.authorizer.outcomes).toEqual([]);
      expect(mesh.upstream.requests).toEqual([]);
    });

    test("a token that is not the service's business is left to the application", async () => {
      const { seen } = await ask("mtls-only.example.com", "/look", "checkout", "tampered");
      expect(headerValues(seen ?? { headers: [] }, "authorization")).toEqual([
        `Bearer ${tokens.tampered}`,
      ]);
    });
  });
});
