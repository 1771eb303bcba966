import { checkConnection, checkRequest, type Written } from "../fakes/check-request.ts";
import { spiffeIdOf, trustDomain } from "../fakes/documents.ts";
import { forged } from "../fakes/orders.ts";
import { startMs } from "../fakes/pipeline.ts";
import { type Focus, headerValues, instants, loginKeys } from "./mesh-world.ts";
import type { Random } from "./random.ts";

const seconds = startMs / 1000;

/** Tokens of callers known and unknown, good and bad, some of which run out while the test's clock runs. */
function issueTokens(): readonly string[] {
  const [first, second] = loginKeys as [(typeof loginKeys)[0], (typeof loginKeys)[0]];
  const person = (name: string, more: object = {}) => ({
    sub: name,
    preferred_username: name,
    ...more,
  });
  const mfa = { amr: ["pwd", "mfa"], auth_time: seconds - 10 };
  const ana = first.issue(person("ana", { desk: "a", groups: ["g1"] }));
  return [
    ana,
    second.issue(person("ana", { desk: "a", groups: ["g1"] })),
    first.issue(person("ana", { desk: "b", ...mfa })),
    first.issue(person("ana", { desk: ["a", "b"], groups: "g2" })),
    first.issue(person("ana", { exp: seconds + 100 })),
    first.issue(person("ana", { nbf: seconds + 50 })),
    second.issue(person("bob", { desk: "a", ...mfa, exp: seconds + 1_000 })),
    first.issue(person("bob")),
    first.issue(person("nobody")),
    first.issue(person("kim", { role: "courier", desk: "a" })),
    second.issue(person("lee", { role: "courier", desk: "b", email: "lee@shop.example" })),
    first.issue({ iss: undefined, sub: spiffeIdOf("checkout") }),
    second.issue({ iss: undefined, sub: `spiffe://${trustDomain}/ns/partner/sa/x` }),
    forged(ana, 1, { preferred_username: "bob" }),
    forged(ana, 0, { alg: "none" }),
    "abc",
  ];
}

const tokens = issueTokens();

const randomToken = (random: Random): string =>
  random.pick(random.chance(0.5) ? tokens.slice(0, 4) : tokens);

/** What each header may hold; absent is always possible. */
const headers: Readonly<Record<string, readonly (string | readonly string[])[]>> = {
  "x-a": [...headerValues, ["a", "a"]],
  "x-flag": [...headerValues, ["a", "b"]],
  "x-list": ["a,b", ["b", "a"]],
  "user-agent": headerValues,
  "content-type": ["text/plain", "text/plain", "application/grpc"],
  "content-length": ["9", "10", "x"],
  "x-forwarded-for": ["10.9.9.9", "192.0.2.9"],
  origin: ["https://a.example"],
  "access-control-request-method": ["GET", "PUT"],
  "x-http-method-override": ["PUT"],
};

function randomHeader(random: Random, name: string): string | readonly string[] | null {
  if (name === "authorization") {
    return random.chance(0.8) ? `Bearer ${randomToken(random)}` : null;
  }
  return random.chance(0.7) ? random.pick(headers[name] ?? ["x"]) : null;
}

function randomHeaders(random: Random): NonNullable<Written["headers"]> {
  const all: Record<string, string | readonly string[]> = {};
  const names = ["authorization", ...random.some(Object.keys(headers), 0, 3)];
  for (const name of names) {
    const value = randomHeader(random, name);
    if (value !== null) all[name] = value;
  }
  if (random.chance(0.05)) all["x-mesh-iam-principal"] = "forged";
  return all;
}

function randomRequest(random: Random): Written {
  const paths = ["/items/1", "/items/1", "/items/2", "/items/1?page=1", "/items/1?page=1&page=2"];
  const rare = ["/open", "/shop.Items/Get", "/items/1/", "/items/%31", "/../items/1", "/nowhere"];
  const written: Written = {
    method: random.chance(0.9)
      ? random.pick(["GET", "GET", "GET", "PUT", "OPTIONS"])
      : random.pick(["POST", "HEAD", "PATCH"]),
    path: random.chance(0.85) ? random.pick(paths) : random.pick(rare),
    host: random.chance(0.9)
      ? random.pick(["orders.example.com", "orders.example.com", "stock.example.com"])
      : random.pick(["orders.example.com:80", "Orders.example.com.", "a b"]),
    headers: randomHeaders(random),
    encoding: random.pick(["headers", "header_map"]),
    sourceAddress: random.pick(["10.0.0.1", "10.0.0.2", "192.0.2.1", null]),
    sourcePrincipal: random.pick([
      "",
      "",
      spiffeIdOf("checkout"),
      spiffeIdOf("cart"),
      "spiffe://x/y",
    ]),
    serverName: random.pick(["", "a.example", "b.example"]),
    hasPeerCertificate: random.chance(0.3),
    destinationLabels: random.pick<Record<string, string>>([
      {},
      { app: "a" },
      { app: "b", APP: "c" },
    ]),
    contextExtensions: random.pick<Record<string, string>>([
      ...[{}, {}, {}, { "mesh-iam-service": "orders" }, { "mesh-iam-service": "orders" }],
      ...[{ "mesh-iam-region": "us-east-1" }, { "mesh-iam-endpoint": "gateway" }],
      ...[{ "mesh-iam-service": "stock" }, { "mesh-iam-partition": "aws-cn" }],
    ]),
  };
  if (random.chance(0.3)) {
    return { ...written, requestTimeMs: nearAnInstant(random) };
  }
  return random.chance(0.05) ? { ...written, rawPaths: random.pick([[], ["/items/2"]]) } : written;
}

const headerNames = [
  ...["x-a", "x-flag", "x-list", "user-agent", "authorization", "content-type", "content-length"],
  ...["x-forwarded-for", "origin", "access-control-request-method", "x-http-method-override"],
];

/** Returns the request with one thing about it changed: what the run is about, or anything. */
function neighbour(random: Random, focus: Focus, written: Written): Written {
  const other = { ...randomRequest(random), requestTimeMs: nearAnInstant(random) };
  const parts = [...headerNames, ...Object.keys(other).filter((part) => part !== "headers")];
  const part = random.chance(0.6) ? focus.part(random) : random.pick(parts);
  if (part in other) return { ...written, [part]: other[part as keyof typeof other] };
  const { [part]: _old, ...headers } = { ...written.headers };
  const value = randomHeader(random, part);
  return { ...written, headers: value === null ? headers : { ...headers, [part]: value } };
}

/** On either side of an instant that a condition names. */
function nearAnInstant(random: Random): number {
  return random.pick(instants) + random.pick([-1, 0, 1, 1_000]);
}

/** A message, and in words what it asks. */
export interface Asking {
  readonly message: Uint8Array;
  readonly written: unknown;
}

/** How many of the last requests are asked again. */
const remembered = 12;

/** Returns the source of requests of one run: half of them are repetitions, many differ in one part. */
export function createRequests(random: Random, focus: Focus): () => Asking {
  const recent: Written[] = [];
  const next = (): Written => {
    if (recent.length === 0) return randomRequest(random);
    if (random.chance(0.5)) return random.pick(recent);
    return random.chance(0.75)
      ? neighbour(random, focus, random.pick(recent))
      : randomRequest(random);
  };
  return () => {
    if (random.chance(0.01)) {
      return { message: Buffer.from("no message"), written: "no message" };
    }
    if (random.chance(0.01)) {
      const written = { sourcePrincipal: spiffeIdOf("checkout"), destinationPort: 5432 };
      return { message: checkConnection(written), written };
    }
    const written = next();
    recent.push(written);
    if (recent.length > remembered) recent.shift();
    return { message: checkRequest(written), written };
  };
}
