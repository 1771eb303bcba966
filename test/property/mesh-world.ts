import type { Directory } from "../../src/domain/directory/model.ts";
import { createTokenIssuer, type TokenIssuer } from "../../src/processes/cli/quickstart/tokens.ts";
import {
  allow,
  audience,
  type Document,
  deny,
  document,
  issuer,
  type Json,
  organization,
  policy,
  route,
  service,
  shop,
  spiffeIdOf,
  user,
  workload,
} from "../fakes/documents.ts";
import { withSpec } from "../fakes/orders.ts";
import { directoryOf, startMs } from "../fakes/pipeline.ts";
import type { Random } from "./random.ts";

/*
 * Random small organizations in front of which Checks are asked: few names, so that policies hit; every
 * kind of condition key; instants that the clock of the test crosses.
 */

const host = issuer.slice("https://".length);

/** The issuer's keys: each world publishes one of them, or both. */
export const loginKeys: readonly TokenIssuer[] = ["key-1", "key-2"].map((id) =>
  createTokenIssuer(issuer, audience, id, () => startMs),
);

/** Instants that conditions name, in milliseconds. */
export const instants: readonly number[] = [-60_000, 30_000, 120_000, 900_000].map(
  (offset) => startMs + offset,
);

/** Values of headers: equal but for case, repeated, empty. */
export const headerValues: readonly string[] = ["a", "A", "b", ""];

const iso = (ms: number): string => new Date(ms).toISOString();

/** A kind of condition, and the header or part of a request that changes what it says. */
interface Kind {
  readonly part: string;
  make(random: Random): Json;
}

const texts = ["StringEquals", "StringNotEquals", "StringLike", "StringEqualsIfExists"];
const dates = ["DateLessThan", "DateGreaterThan", "DateGreaterThanEquals"];
const numbers = ["NumericLessThan", "NumericGreaterThanEquals"];

/** Conditions of one of the operators on a key that has one of the values. */
function on(
  part: string,
  operators: readonly string[],
  key: string,
  values: readonly string[],
): Kind {
  return {
    part,
    make: (random) => ({ [random.pick(operators)]: { [key]: random.pick(values) } }),
  };
}

const any = texts.map((text) => `ForAnyValue:${text}`);
const all = texts.map((text) => `ForAllValues:${text}`);
const times = instants.map(iso);
const letters = ["a", "b", "A", "*"];
const token = "authorization";
const kinds: readonly Kind[] = [
  on("requestTimeMs", dates, "aws:CurrentTime", times),
  on("requestTimeMs", dates, "aws:EpochTime", times),
  on("requestTimeMs", numbers, "aws:MultiFactorAuthAge", ["30", "300", "1200"]),
  on("requestTimeMs", ["StringLike"], "aws:CurrentTime", ["2026-*"]),
  on("sourceAddress", ["IpAddress", "NotIpAddress"], "aws:SourceIp", ["10.0.0.0/8", "10.0.0.1"]),
  on("x-forwarded-for", ["IpAddress"], "aws:SourceIp", ["10.0.0.0/8"]),
  on(token, dates, "aws:TokenIssueTime", [iso(startMs)]),
  on(token, ["Bool", "BoolIfExists"], "aws:MultiFactorAuthPresent", ["true", "false"]),
  on("x-a", texts, "mesh:RequestHeader/x-a", letters),
  on("x-a", ["Null"], "mesh:RequestHeader/x-a", ["true", "false"]),
  on("x-list", texts, "mesh:RequestHeader/x-list", ["a,b", "b,a"]),
  on("x-flag", texts, "orders:Flag", letters),
  on("path", texts, "orders:Item", ["1", "2"]),
  on("path", texts, "orders:Page", ["1", "2"]),
  on("path", all, "mesh:RequestQueryString/page", ["1", "2"]),
  on(token, texts, "mesh:JwtClaim/desk", letters),
  on(token, any, "mesh:JwtClaim/groups", ["g1", "g2"]),
  on(token, texts, "aws:PrincipalTag/team", ["blue", "red"]),
  on(token, texts, "mesh:TokenType", ["jwt", "mtls", "none"]),
  on(token, texts, "aws:username", ["${mesh:JwtClaim/desk, 'ana'}", "${mesh:RequestHeader/x-a}"]),
  on("sourcePrincipal", texts, "mesh:SourceServiceAccount", ["checkout", "cart"]),
  on("sourcePrincipal", texts, "mesh:SourceServiceArn", [
    `arn:aws:mesh-iam::${shop}:service/orders`,
  ]),
  on("contextExtensions", texts, "aws:RequestedRegion", ["eu-west-1", "us-east-1"]),
  on("destinationLabels", texts, "aws:ResourceTag/app", letters),
  on("user-agent", texts, "aws:UserAgent", letters),
  on("method", texts, "mesh:RequestMethod", ["GET", "PUT"]),
  on("host", texts, "mesh:RequestHost", ["orders.example.com", "stock.example.com"]),
  on("serverName", texts, "mesh:ServerName", ["a.example", "b.example"]),
  on("hasPeerCertificate", ["Bool"], "aws:SecureTransport", ["true", "false"]),
  on("content-length", numbers, "mesh:RequestSize", ["10"]),
];

/** What the conditions of one run are about: few keys, so that its decisions hang on them. */
export class Focus {
  readonly #kinds: readonly Kind[];

  constructor(random: Random) {
    this.#kinds = random.some(kinds, 1, 3);
  }

  condition(random: Random): Json {
    return random.pick(this.#kinds).make(random);
  }

  /** Returns what of a request is most worth changing. */
  part(random: Random): string {
    return random.pick(this.#kinds).part;
  }
}

function statement(random: Random, focus: Focus): Json {
  const actions = ["orders:*", "orders:Get*", "orders:GetItem", "orders:PutItem", "*", "*"];
  const resources = [
    "*",
    "*",
    "*",
    `arn:aws:orders:*:${shop}:item/1`,
    `arn:aws:orders:eu-west-1:${shop}:item/*`,
    `arn:aws:orders:*:*:item/\${aws:PrincipalTag/team, '2'}`,
    "arn:aws:orders:*:*:item/${mesh:RequestHeader/x-a}",
  ];
  const more: Json = {
    Resource: random.pick(resources),
    ...(random.chance(0.7) ? { Condition: focus.condition(random) } : {}),
  };
  const action = random.pick(actions);
  return random.chance(0.15) ? deny(action, more) : allow(action, more);
}

const statements = (random: Random, focus: Focus): Json[] =>
  random.some([0], 1, 3).map(() => statement(random, focus));

/** A statement of a service: what it says of whom. */
function resourceStatement(random: Random, focus: Focus, name: string): Json {
  const principals = ["*", { AWS: shop }, { AWS: `arn:aws:iam::${shop}:user/ana` }];
  return {
    ...statement(random, focus),
    Action: random.pick([`${name}:*`, `${name}:GetItem`]),
    Principal: random.pick(principals),
  };
}

function serviceOf(random: Random, focus: Focus, name: string): Document {
  const open = random.chance(0.2) ? { authType: "NONE" } : {};
  const risky = random.chance(0.3) ? { tags: { risk: "high", app: "a" } } : {};
  return service(
    name,
    [
      route("GET /items/{id}", "GetItem", "item/{id}", risky),
      route("PUT /items/{id}", "PutItem", "item/{id}"),
      route("OPTIONS /items/{id}", "GetItem", "item/{id}"),
      route("GET /open", "GetItem", "open", open),
      route("shop.Items/Get", "GetItem", "items"),
    ],
    {
      mode: random.chance(0.15) ? "shadow" : "enforce",
      cors: random.chance(0.3),
      principalFrom: random.pick([["jwt", "jwt-svid", "mtls"], ["mtls", "jwt"], ["jwt"], ["mtls"]]),
      ...(random.chance(0.1) ? { requireCredential: [random.pick(["mtls", "jwt"])] } : {}),
      workloads: name === "orders" ? [spiffeIdOf("cart")] : [],
      request: {
        commaHeaders: ["x-list"],
        methodOverride: random.chance(0.1) ? random.pick(["both", "deny"]) : "ignore",
        trailingSlash: random.pick(["distinct", "ignore"]),
      },
      contextKeys:
        name === "orders"
          ? {
              "orders:Flag": { header: "x-flag" },
              "orders:Item": { path: "id" },
              "orders:Page": { query: "page" },
            }
          : {},
      ...(random.chance(0.6)
        ? {
            resourcePolicy: policy(
              ...random.some([0], 1, 2).map(() => resourceStatement(random, focus, name)),
            ),
          }
        : {}),
    },
  );
}

/** A role of the provider's tokens, whose trust policy may read the clock, the peer or a claim. */
function courier(random: Random, focus: Focus): Document {
  const trust = {
    Effect: "Allow",
    Action: "sts:AssumeRoleWithWebIdentity",
    Principal: { Federated: `arn:aws:iam::${shop}:oidc-provider/${host}` },
    Condition: random.pick<Json>([
      { StringEquals: { [`${host}:aud`]: audience } },
      { StringEquals: { [`${host}:desk`]: "a" } },
      { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } },
      { DateLessThan: { "aws:CurrentTime": iso(random.pick(instants)) } },
      { StringEquals: { "mesh:RequestHeader/x-a": "a" } },
    ]),
  };
  return document("Role", "courier", {
    assumeRolePolicyDocument: policy(trust),
    policies: [{ policyName: "own", policyDocument: policy(...statements(random, focus)) }],
  });
}

function guardrail(
  random: Random,
  focus: Focus,
  kind: "ServiceControlPolicy" | "ResourceControlPolicy",
): Document {
  const denied = {
    ...deny(random.pick(["orders:PutItem", "orders:*"]), { Condition: focus.condition(random) }),
    ...(kind === "ResourceControlPolicy" ? { Principal: "*" } : {}),
  };
  return document(kind, "guard", { targetIds: ["/prod"], content: policy(denied) }, null);
}

/** Returns the base with the published keys, MFA, and rules that change between worlds. */
function base(random: Random): readonly Document[] {
  const published = random.pick([loginKeys, loginKeys, [loginKeys[0]], [loginKeys[1]]]);
  const keys = published.flatMap((key) => JSON.parse(key?.jwks ?? "").keys);
  const svidKeys = keys.map((key: object) => ({ ...key, use: "jwt-svid" }));
  return organization(JSON.stringify({ keys })).map((each) => {
    if (each.kind === "OidcProvider") {
      return withSpec(each, {
        mfaFromAmr: random.chance(0.7),
        audiences: random.chance(0.1) ? ["other"] : [audience],
        clockSkewSeconds: random.pick([0, 60]),
      });
    }
    if (each.kind !== "TrustDomain") return each;
    return withSpec(each, { audiences: [audience], bundle: { keys: svidKeys } });
  });
}

/** Returns a random organization; many of its objects are what they were in another one. */
export function randomDirectory(random: Random, focus: Focus): Directory {
  const state = () => (random.chance(0.1) ? { state: "disabled" } : {});
  const documents: Document[] = [
    ...base(random),
    document("ManagedPolicy", "boundary", { policyDocument: policy(...statements(random, focus)) }),
    user("ana", statements(random, focus), { tags: { team: "blue" }, ...state() }),
    user("bob", statements(random, focus), {
      ...(random.chance(0.5) ? { permissionsBoundary: "boundary" } : {}),
      ...state(),
    }),
    courier(random, focus),
    withSpec(workload("checkout", statements(random, focus)), state()),
    serviceOf(random, focus, "orders"),
  ];
  if (random.chance(0.5)) documents.push(serviceOf(random, focus, "stock"));
  if (random.chance(0.3)) documents.push(guardrail(random, focus, "ServiceControlPolicy"));
  if (random.chance(0.3)) documents.push(guardrail(random, focus, "ResourceControlPolicy"));
  const directory = directoryOf(documents);
  if (!random.chance(0.05)) return directory;
  const bob = directory.users.find(({ name }) => name === "bob");
  const poison = { objectId: bob?.id ?? "", kind: "user", reason: "unreadable" };
  return { ...directory, poison: [poison] };
}
