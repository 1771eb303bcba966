import { expect } from "vitest";
import type { Row } from "./row.ts";
import { createWorld, ec, mint, now, nowMs, provider, providers, Raw } from "./world.ts";

const time = "token-time";
const malformedTimes: readonly (readonly [string, unknown])[] = [
  ["a text", String(now + 600)],
  ["null", null],
  ["true", true],
  ["a list", [now + 600]],
  ["an object", {}],
  ["negative", -1],
  ["1e308", new Raw("1e308")],
  ["1e999", new Raw("1e999")],
  ["-1e999", new Raw("-1e999")],
  ["above 2^53", 2 ** 53 + 2],
];

function skewed(seconds: number) {
  return createWorld({ providers: [provider("generic", { clockSkewSeconds: seconds })] });
}

/** Times one second before, at, and one second after the edge that the skew sets. */
const edges: readonly Row[] = [0, 60, 300].flatMap((skew): Row[] =>
  (
    [
      ["exp", -skew - 1, "token-expired"],
      ["exp", -skew, "token-expired"],
      ["exp", -skew + 1, "accept"],
      ["nbf", skew - 1, "accept"],
      ["nbf", skew, "accept"],
      ["nbf", skew + 1, time],
      ["iat", skew - 1, "accept"],
      ["iat", skew, "accept"],
      ["iat", skew + 1, time],
    ] as const
  ).map(([claim, offset, want]) => ({
    id: "JWT-180",
    title: `${claim} at now ${offset >= 0 ? "+" : ""}${offset} s, skew ${skew}`,
    world: skewed(skew),
    token: () =>
      mint("generic", { claims: { iat: now - 400, exp: now + 600, [claim]: now + offset } }),
    expect: want,
  })),
);

const fractions: readonly Row[] = (
  [
    ["exp", 0.9, -0.1, "accept"],
    ["exp", 0.9, 0, "token-expired"],
    ["nbf", 0.1, 0.5, time],
    ["nbf", 0.1, 1, "accept"],
    ["iat", 0.1, 0.5, time],
    ["iat", 0.1, 1, "accept"],
  ] as const
).map(([claim, fraction, at, want], i) => ({
  id: `JWT-185.${i + 1}`,
  title: `${claim} at t + ${fraction}, seen at t ${at >= 0 ? "+" : ""}${at}`,
  world: skewed(0),
  atMs: nowMs + at * 1000,
  token: () =>
    mint("generic", { claims: { iat: now - 10, exp: now + 600, [claim]: now + fraction } }),
  expect: want,
}));

const subjects = [
  ["empty", ""],
  ["of 256 characters", "a".repeat(256)],
  ["with a NUL", "alice\0"],
  ["with a newline", "alice\nroot"],
  ["with DEL", "alice\x7f"],
  ["with a C1 control", "alice\x85"],
  ["with a lone surrogate", new Raw('"alice\\ud800"')],
  ["with a reversed pair", new Raw('"\\udc00\\ud800"')],
  ["null", null],
  ["a number", 7],
  ["a list", ["alice"]],
  ["an object", {}],
  ["absent", undefined],
] as const;

const plainSubjects = [
  "a\u202Eb",
  "e\u0301",
  "*",
  "al?ce",
  "$" + "{aws:username}",
  "arn:aws:iam::111122223333:user/root",
  "a/../b",
  "a".repeat(255),
  "日本語",
  " alice ",
];

export const claimRows: readonly Row[] = [
  {
    id: "JWT-013",
    title: "exp a text",
    token: () => mint("generic", { claims: { exp: String(now + 600) } }),
    expect: time,
  },
  {
    id: "JWT-014",
    title: "exp negative",
    token: () => mint("generic", { claims: { exp: -1 } }),
    expect: time,
  },
  {
    id: "JWT-015",
    title: "exp equal to now, no skew",
    world: skewed(0),
    token: () => mint("generic", { claims: { exp: now } }),
    expect: "token-expired",
  },
  ...(
    [
      ["a nested list", [["mesh"]]],
      ["a list with a list beside ours", ["mesh", ["x"]]],
      ["an object", { mesh: true }],
      ["a number", 7],
      ["a list of numbers", [7]],
      ["null", null],
      ["an empty list", []],
      ["an empty text", ""],
      ["a joined text", "mesh other"],
      ["a comma-joined text", "mesh,other"],
    ] as const
  ).map(
    ([title, aud], i): Row => ({
      id: `JWT-020.${i + 1}`,
      title: `aud is ${title}`,
      token: () => mint("generic", { claims: { aud } }),
      expect: "token-audience",
    }),
  ),
  {
    id: "JWT-020.11",
    title: "aud is a list of a number that is written like ours",
    world: createWorld({ providers: [provider("generic", { audiences: ["7"] })] }),
    token: () => mint("generic", { claims: { aud: [7] } }),
    expect: "token-audience",
  },
  ...["MESH", "Mesh", "mesh ", " mesh", "mesh\u200b", "m\u0435sh"].map(
    (aud, i): Row => ({
      id: `JWT-021.${i + 1}`,
      title: `aud ${JSON.stringify(aud)}`,
      token: () => mint("generic", { claims: { aud } }),
      expect: "token-audience",
    }),
  ),
  {
    id: "JWT-022",
    title: "iss with a trailing slash",
    token: () => mint("generic", { claims: { iss: `${providers.generic.issuer}/` } }),
    expect: "token-issuer",
  },
  {
    id: "JWT-025",
    title: "no exp",
    token: () => mint("generic", { claims: { exp: undefined } }),
    expect: "token-claims",
  },
  {
    id: "JWT-026",
    title: "exp 1e999",
    token: () => mint("generic", { claims: { exp: new Raw("1e999") } }),
    expect: time,
  },
  {
    id: "JWT-027",
    title: "exp above 2^53",
    token: () => mint("generic", { claims: { exp: new Raw("9007199254740994") } }),
    expect: time,
  },
  {
    id: "JWT-028",
    title: "iat 27 h ahead",
    token: () => mint("generic", { claims: { iat: now + 97_200, exp: now + 97_800 } }),
    expect: time,
  },
  ...edges,
  ...(["exp", "nbf", "iat"] as const).flatMap((claim): Row[] =>
    malformedTimes.map(([title, value]) => ({
      id: "JWT-181",
      title: `${claim} ${title}`,
      token: () => mint("generic", { claims: { [claim]: value } }),
      expect: time,
    })),
  ),
  {
    id: "JWT-181.1",
    title: "exp in another spelling of a number in range",
    token: () => mint("generic", { claims: { exp: new Raw(`${now + 600}.0`) } }),
    expect: "accept",
  },
  ...fractions,
  ...(["generic", "jwt-svid"] as const).flatMap((kind): Row[] => [
    {
      id: "JWT-186.1",
      title: `${kind}: no iat, exp at the longest life from now`,
      token: () => mint(kind, { claims: { iat: undefined, exp: now + 86_400 } }),
      expect: "accept",
    },
    {
      id: "JWT-186.2",
      title: `${kind}: no iat, exp a second beyond it`,
      token: () => mint(kind, { claims: { iat: undefined, exp: now + 86_401 } }),
      expect: time,
    },
    {
      id: "JWT-186.3",
      title: `${kind}: a life of just the longest`,
      token: () => mint(kind, { claims: { iat: now - 10, exp: now - 10 + 86_400 } }),
      expect: "accept",
    },
    {
      id: "JWT-186.4",
      title: `${kind}: a life of one second more`,
      token: () => mint(kind, { claims: { iat: now - 10, exp: now - 9 + 86_400 } }),
      expect: time,
    },
  ]),
  ...subjects.map(
    ([title, sub], i): Row => ({
      id: `JWT-200.${i + 1}`,
      title: `sub ${title}`,
      token: () => mint("generic", { claims: { sub } }),
      expect: "token-claims",
    }),
  ),
  ...plainSubjects.map(
    (sub, i): Row => ({
      id: `JWT-201.${i + 1}`,
      title: `sub ${JSON.stringify(sub.slice(0, 40))} is plain text`,
      token: () => mint("generic", { claims: { sub } }),
      expect: "accept",
      check: (result) => expect("token" in result ? result.token?.subject : null).toBe(sub),
    }),
  ),
  {
    id: "JWT-190.1",
    title: "an ES256 signature with s replaced by n - s is the same credential",
    token: () => malleated(mint("generic", { key: ec, claims: { jti: "one" } })),
    expect: "accept",
    check: (result, world) => {
      const token = "token" in result ? result.token : null;
      expect(token?.claims.get("jti")).toEqual({ type: "string", text: "one" });
      expect(world.unknownKeysOf).toEqual([]);
    },
  },
];

/** The order of P-256's group. */
const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

function malleated(token: string): string {
  const [head, body, tail = ""] = token.split(".");
  const signature = Buffer.from(tail, "base64url");
  const s = BigInt(`0x${signature.subarray(32).toString("hex")}`);
  signature.write((n - s).toString(16).padStart(64, "0"), 32, "hex");
  return `${head}.${body}.${signature.toString("base64url")}`;
}
