import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  allow,
  type Document,
  document,
  type Json,
  organization,
  partner,
  policy,
  route,
  shop,
} from "../fakes/documents.ts";
import { type Asked, type Mesh, startMesh, startTimeoutMs, variants } from "./authorizer.ts";
import { envoyForTests } from "./envoy.ts";
import { checkSettings, strictConfig } from "./envoy-config.ts";
import { issueTokens } from "./shop.ts";

/*
 * Which service a request is for (envoy-ext-authz 4.3): the listener's word, else the only service, else
 * the Host; and never one that the authorizer does not front.
 */

const binary = (await envoyForTests()) ?? "";
const { jwks } = issueTokens(Date.now());

/** A service that tells everybody everything, so that the outcome says which one it was. */
function telling(
  name: string,
  account: string,
  hosts: readonly string[],
  spec: Json = {},
): Document {
  const routes = [
    route("GET /{path=**}", "Look", "all"),
    route("GET /only/{service}", "Ask", "{service}"),
    route("GET /secure", "LookSecurely", "secure"),
  ];
  const resourcePolicy = policy(
    allow([`${name}:Look`, `${name}:Ask`], { Principal: "*" }),
    allow(`${name}:LookSecurely`, {
      Principal: "*",
      Condition: { Bool: { "aws:SecureTransport": "true" } },
    }),
  );
  return document("Service", name, { hosts, routes, resourcePolicy, ...spec }, account);
}

const documents = [
  ...organization(jwks),
  telling("orders", shop, ["orders.example.com", "orders", "app", "[::1]"]),
  telling("stock", shop, ["stock.example.com", "xn--caf-dma.example"]),
  telling("orders", partner, ["partner.example.com"]),
];

const orders = `${shop}/orders`;
const stock = `${shop}/stock`;
const partnerOrders = `${partner}/orders`;
const unknownHost = "route-not-found service-host";
const badHost = "ambiguous-host bad-host";

interface HostRow {
  readonly why: string;
  readonly host: string;
  readonly want: string;
  /** Where the hardened settings clean the Host before anybody is asked. */
  readonly hardened?: string;
}

const hosts: readonly HostRow[] = [
  { why: "as it is written", host: "orders.example.com", want: orders },
  { why: "PATH-100: with a port", host: "orders.example.com:8080", want: orders },
  { why: "PATH-101.1: in capitals", host: "ORDERS.Example.COM", want: orders },
  { why: "PATH-101.2: with a trailing dot", host: "orders.example.com.", want: orders },
  { why: "all of it", host: "App:8080", want: orders },
  { why: "a short one with a dot", host: "app.", want: orders },
  { why: "IPv6", host: "[::1]", want: orders },
  { why: "IPv6 with a port", host: "[::1]:8443", want: orders },
  { why: "another service", host: "stock.example.com", want: stock },
  { why: "another account's", host: "partner.example.com", want: partnerOrders },
  { why: "PATH-102.1: an A-label", host: "xn--caf-dma.example", want: stock },
  { why: "PATH-110.1: unknown", host: "evil.example.com", want: unknownHost },
  { why: "an unknown one that ends alike", host: "x.orders.example.com", want: unknownHost },
  { why: "two trailing dots", host: "orders..", want: badHost, hardened: orders },
  { why: "an empty label", host: "a..b", want: badHost },
  { why: "a label that begins with a hyphen", host: "-a", want: badHost },
  { why: "user information", host: "user@orders", want: badHost },
  { why: "PATH-103.1: two in one", host: "orders,evil", want: badHost },
  { why: "IPv6 without brackets", host: "::1", want: badHost },
];

interface NamedRow {
  readonly why: string;
  readonly path: string;
  /** Of the route; the virtual host says `mesh-iam-account`, the partner's. */
  readonly extensions: Readonly<Record<string, string>>;
  readonly want: string;
  readonly resource?: string;
}

const namedByRoute: readonly NamedRow[] = [
  {
    why: "name of the route and account of the virtual host are merged",
    path: "/merged",
    extensions: { "mesh-iam-service": "orders" },
    want: partnerOrders,
    resource: `arn:aws:orders:eu-west-1:${partner}:all`,
  },
  {
    why: "the route's account beats the virtual host's",
    path: "/overridden",
    extensions: { "mesh-iam-service": "orders", "mesh-iam-account": shop },
    want: orders,
  },
  {
    why: "a name of no service",
    path: "/unknown",
    extensions: { "mesh-iam-service": "billing" },
    want: "route-not-found service-name",
  },
  {
    why: "a name of the other account only",
    path: "/elsewhere",
    extensions: { "mesh-iam-service": "stock" },
    want: "route-not-found service-name",
  },
  {
    why: "the listener's region is the resource's",
    path: "/region",
    extensions: { "mesh-iam-service": "orders", "mesh-iam-region": "us-east-1" },
    want: partnerOrders,
    resource: `arn:aws:orders:us-east-1:${partner}:all`,
  },
  {
    why: "a listener that ends TLS makes the request secure",
    path: "/secure",
    extensions: { "mesh-iam-service": "orders", "mesh-iam-tls": "true" },
    want: partnerOrders,
  },
];

describe.skipIf(binary === "")("services behind the real Envoy", () => {
  describe.each(variants)("$name: all services of the documents", ({ shape, unix }) => {
    const strict = shape === strictConfig;
    let mesh: Mesh;

    beforeAll(async () => {
      mesh = await startMesh({ binary, shape, unix, documents });
    }, startTimeoutMs);
    afterAll(async () => {
      await mesh?.close();
    });

    test.each(hosts)("by Host, $why: $host", async ({ host, want, hardened }) => {
      const asked = await mesh.ask({ target: "/a", host });
      expect(judgedBy(asked)).toBe(strict ? (hardened ?? want) : want);
      expect(asked.seen === null).toBe(judgedBy(asked).includes(" "));
    });

    test("PATH-103.2: two Host headers", async () => {
      const headers = [["host", "stock.example.com"]] as const;
      const asked = await mesh.ask({ target: "/a", host: "orders.example.com", headers });
      expect([judgedBy(asked), asked.seen]).toEqual([badHost, null]);
    });

    test("a plaintext request is not secure, whatever the client says", async () => {
      const headers = [
        ["x-forwarded-proto", "https"],
        ["mesh-iam-tls", "true"],
      ] as const;
      const asked = await mesh.ask({ target: "/secure", host: "orders.example.com", headers });
      expect(judgedBy(asked)).toBe("unauthenticated ");
    });
  });

  // Istio sends no context extensions.
  describe("a listener that names the service", () => {
    let mesh: Mesh;

    beforeAll(async () => {
      mesh = await startMesh({
        binary,
        documents,
        shape: strictConfig,
        unix: false,
        contextExtensions: { "mesh-iam-account": partner },
        routes: namedByRoute.map(({ path, extensions }) => ({
          match: { path },
          route: { cluster: "app" },
          typed_per_filter_config: checkSettings(extensions),
        })),
      });
    }, startTimeoutMs);
    afterAll(async () => {
      await mesh?.close();
    });

    test.each(namedByRoute)("$why", async ({ path, want, resource }) => {
      const asked = await mesh.ask({ target: path, host: "stock.example.com" });
      expect(judgedBy(asked)).toBe(want);
      if (resource !== undefined) expect(asked.outcome?.resource).toBe(resource);
    });

    test("a route that names none leaves it to the Host", async () => {
      expect(judgedBy(await mesh.ask({ target: "/a", host: "stock.example.com" }))).toBe(stock);
    });
  });

  describe.each(variants)("$name: one service of several", ({ shape, unix }) => {
    let mesh: Mesh;

    beforeAll(async () => {
      mesh = await startMesh({
        binary,
        shape,
        unix,
        documents,
        sets: [`services=${orders}`, "tlsTerminating=true"],
        ...(shape === strictConfig
          ? { contextExtensions: { "mesh-iam-account": shop }, routes: [namesAnother] }
          : {}),
      });
    }, startTimeoutMs);
    afterAll(async () => {
      await mesh?.close();
    });

    test.each([
      { why: "its own Host", host: "orders.example.com" },
      { why: "PATH-110.2: the Host of another service", host: "stock.example.com" },
      { why: "PATH-110.1: an unknown Host", host: "evil.example.com" },
    ])("$why: judged by the one definition", async ({ host }) => {
      const asked = await mesh.ask({ target: "/only/stock", host });
      expect(judgedBy(asked)).toBe(orders);
      expect(asked.outcome?.resource).toBe(`arn:aws:orders:eu-west-1:${shop}:stock`);
    });

    test("a Host that is none is refused even where it decides nothing", async () => {
      const asked = await mesh.ask({ target: "/a", host: "a..b" });
      expect([judgedBy(asked), asked.seen]).toEqual([badHost, null]);
    });

    test("a sidecar whose listener takes TLS only counts every request as secure", async () => {
      const asked = await mesh.ask({ target: "/secure", host: "orders.example.com" });
      expect(judgedBy(asked)).toBe(orders);
    });

    if (shape === strictConfig) {
      test("a listener that names a service which is not fronted", async () => {
        const asked = await mesh.ask({ target: "/another", host: "orders.example.com" });
        expect([judgedBy(asked), asked.seen]).toEqual(["route-not-found service-name", null]);
      });
    }

    test("status tells which one it is", async () => {
      const { services } = await mesh.authorizer.status();
      expect(services.map(({ name }) => name)).toEqual(["orders"]);
    });
  });
});

const namesAnother = {
  match: { path: "/another" },
  route: { cluster: "app" },
  typed_per_filter_config: checkSettings({ "mesh-iam-service": "stock" }),
};

/** Which service judged, or why none did. */
function judgedBy({ outcome }: Asked): string {
  if (outcome === null) return "refused by Envoy";
  const { service, answer, detail } = outcome;
  return answer.type === "allow" && service !== null
    ? `${service.account}/${service.name}`
    : `${answer.reason} ${detail}`;
}
