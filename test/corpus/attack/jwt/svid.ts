import { createSecretKey } from "node:crypto";
import { encode, renamed, signBytes } from "./keys.ts";
import type { Row } from "./row.ts";
import {
  createWorld,
  domains,
  edwards,
  json,
  keySets,
  keysOf,
  mint,
  now,
  svidA,
  svidB,
  trustDomain,
} from "./world.ts";

async function worldWith(...jwks: readonly Readonly<Record<string, unknown>>[]) {
  const keys = await keysOf("spiffe", ...jwks);
  return createWorld({ keys: new Map([...keySets, [domains.a.id, keys]]) });
}

const subjects = [
  ["an upper-case trust domain", "spiffe://TD-A/ns/shop/sa/orders"],
  ["a port", "spiffe://td-a:8443/ns/shop/sa/orders"],
  ["a query", "spiffe://td-a/ns/shop/sa/orders?x"],
  ["a percent sign", "spiffe://td-a/ns/shop/sa/%6frders"],
  ["a dot-dot segment", "spiffe://td-a/ns/shop/../sa/orders"],
  ["an empty segment", "spiffe://td-a/ns//sa/orders"],
  ["2,049 bytes", `spiffe://td-a/${"a".repeat(2035)}`],
  ["an upper-case scheme", "SPIFFE://td-a/ns/shop/sa/orders"],
  ["no path", "spiffe://td-a"],
  ["a fragment", "spiffe://td-a/ns/shop/sa/orders#x"],
] as const;

export const svidRows: readonly (Row | Promise<Row>)[] = [
  ...[undefined, [], "", "else", ["else"], null, 7].map(
    (aud, i): Row => ({
      id: `JWT-280.${i + 1}`,
      title: `JWT-SVID with aud ${JSON.stringify(aud)}`,
      token: () => mint("jwt-svid", { claims: { aud } }),
      expect: "token-audience",
    }),
  ),
  // .1 and .2, no subject and one that is no SPIFFE id, name no trust domain: see svid.test.ts.
  ...subjects.map(
    ([title, sub], i): Row => ({
      id: `JWT-281.${i + 3}`,
      title: `JWT-SVID whose sub has ${title}`,
      token: () => mint("jwt-svid", { claims: { sub } }),
      expect: "token-claims",
    }),
  ),
  {
    id: "JWT-281.13",
    title: "JWT-SVID whose sub has 2,048 bytes",
    token: () => mint("jwt-svid", { claims: { sub: `spiffe://td-a/${"a".repeat(2034)}` } }),
    expect: "accept",
  },
  {
    id: "JWT-282.1",
    title: "sub of trust domain B, signed by a key of A that bears B's name",
    token: () =>
      mint("jwt-svid", {
        key: renamed(svidA, svidB.id),
        claims: { sub: "spiffe://td-b/ns/shop/sa/orders" },
      }),
    expect: "token-signature",
  },
  {
    id: "JWT-283.1",
    title: "JWT-SVID with HS256",
    token: () => {
      const head = encode(json({ alg: "HS256", kid: svidA.id }));
      const body = encode(json({ sub: "spiffe://td-a/a", aud: "mesh", exp: now + 60 }));
      const secret = createSecretKey(Buffer.alloc(32, 1));
      return `${head}.${body}.${encode(signBytes("HS256", secret, `${head}.${body}`))}`;
    },
    expect: "token-algorithm",
  },
  {
    id: "JWT-283.2",
    title: "JWT-SVID with Ed25519",
    world: await worldWith({ ...edwards.jwk, use: "jwt-svid" }),
    token: () => mint("jwt-svid", { key: edwards }),
    expect: "token-algorithm",
  },
  {
    id: "JWT-283.3",
    title: "JWT-SVID as JSON",
    token: () => {
      const [head, body, signature] = mint("jwt-svid").split(".");
      return json({ protected: head, payload: body, signature });
    },
    expect: "token-malformed",
  },
  ...["JOSE", "jose", "JWT", undefined].map(
    (typ, i): Row => ({
      id: `JWT-283.${i + 4}`,
      title: `JWT-SVID with typ ${typ}`,
      token: () => mint("jwt-svid", { header: { typ } }),
      expect: "accept",
    }),
  ),
  {
    id: "JWT-284.1",
    title: "a bundle's key without kid",
    world: await worldWith({ ...svidA.jwk, kid: undefined, use: "jwt-svid" }),
    token: () => mint("jwt-svid", { header: { kid: undefined } }),
    expect: "token-key",
  },
  ...(
    [
      ["an unknown use", { use: "jwt" }],
      ["use: sig", { use: "sig" }],
      ["no use", {}],
      ["use: x509-svid (JWT-144.3)", { use: "x509-svid" }],
    ] as const
  ).map(([title, use], i) =>
    worldWith({ ...svidA.jwk, ...use }).then(
      (world): Row => ({
        id: `JWT-284.${i + 2}`,
        title: `a bundle's key with ${title}`,
        world,
        token: () => mint("jwt-svid"),
        expect: "token-key",
      }),
    ),
  ),
  {
    id: "JWT-144.1",
    title: "a bundle's key with use: jwt-svid",
    world: await worldWith({ ...svidA.jwk, use: "jwt-svid" }),
    token: () => mint("jwt-svid"),
    expect: "accept",
  },
  {
    id: "JWT-286.2",
    title: "a federated domain is removed: the tokens of another live on",
    world: createWorld({ trustDomains: [domains.b] }),
    token: () =>
      mint("jwt-svid", { key: svidB, claims: { sub: "spiffe://td-b/ns/shop/sa/orders" } }),
    expect: "accept",
  },
  {
    id: "JWT-286.3",
    title: "a domain without a bundle takes no JWT-SVIDs",
    world: createWorld({ trustDomains: [trustDomain("td-a", { keys: null })] }),
    token: () => mint("jwt-svid"),
    expect: "token-issuer",
  },
];
