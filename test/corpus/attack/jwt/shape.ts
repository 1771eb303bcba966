import { constants, sign } from "node:crypto";
import { expect } from "vitest";
import { encode, signBytes } from "./keys.ts";
import type { Row } from "./row.ts";
import { ec, json, mallory, mint, now, providers, Raw, rsa } from "./world.ts";

const malformed = "token-malformed";

function parts(token: string): [string, string, string] {
  const [head = "", body = "", tail = ""] = token.split(".");
  return [head, body, tail];
}

/** A token whose base64url text holds characters outside base64. */
function withUrlCharacters(): string {
  for (let i = 0; ; i++) {
    const token = mint("generic", { claims: { n: `${i}~~~???>>>` } });
    if (token.includes("-") && token.includes("_")) return token;
  }
}

/** A token whose signature ends in a character with spare bits (ES256: 64 bytes, 86 characters). */
function withSpareBits(): string {
  const [head, body, tail] = parts(mint("generic", { key: ec }));
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(tail.at(-1) ?? "");
  return `${head}.${body}.${tail.slice(0, -1)}${alphabet[last ^ 1]}`;
}

const none = ["none", "None", "nOnE", " none", "none\0"];
const embedded = {
  jwk: mallory.jwk,
  jku: "https://evil.example/keys",
  x5u: "https://evil.example/chain",
  x5c: ["MIIB"],
} as const;

export const shapeRows: readonly Row[] = [
  ...none.map((algorithm, i): Row => {
    const token = () => mint("generic", { header: { alg: algorithm }, signature: Buffer.of(1) });
    const title = `alg ${JSON.stringify(algorithm)}`;
    return { id: `JWT-001.${i + 1}`, title, token, expect: "token-algorithm" };
  }),
  {
    id: "JWT-001.6",
    title: "alg none and no signature at all",
    token: () =>
      `${parts(mint("generic", { header: { alg: "none" } }))
        .slice(0, 2)
        .join(".")}.`,
    expect: malformed,
  },
  {
    id: "JWT-003",
    title: "crit names an unknown extension",
    token: () => mint("generic", { header: { crit: ["x"], x: true } }),
    expect: malformed,
  },
  {
    id: "JWT-004",
    title: "crit is an empty list",
    token: () => mint("generic", { header: { crit: [] } }),
    expect: malformed,
  },
  {
    id: "JWT-005.1",
    title: "b64: false, announced",
    token: () => mint("generic", { header: { b64: false, crit: ["b64"] } }),
    expect: malformed,
  },
  {
    id: "JWT-005.2",
    title: "b64: false, not announced",
    token: () => mint("generic", { header: { b64: false } }),
    expect: malformed,
  },
  {
    id: "JWT-005.3",
    title: "b64: false, payload not encoded",
    token: () => {
      const head = encode(json({ alg: "RS256", kid: rsa.id, b64: false, crit: ["b64"] }));
      const body = `{"iss":"${providers.generic.issuer}"}`;
      return `${head}.${body}.${encode(signBytes("RS256", rsa.privateKey, `${head}.${body}`))}`;
    },
    expect: malformed,
  },
  ...(["jwk", "jku", "x5u", "x5c"] as const).flatMap((member, i): Row[] => [
    {
      id: `JWT-00${6 + i}.1`,
      title: `${member} in the header is counted and not read`,
      token: () => mint("generic", { header: { [member]: embedded[member] } }),
      expect: "accept",
      check: (_result, world) => expect(world.embedded).toEqual([member]),
    },
    {
      id: `JWT-00${6 + i}.2`,
      title: `${member} in the header, signed by the key it offers`,
      token: () => mint("generic", { key: mallory, header: { [member]: embedded[member] } }),
      expect: "token-signature",
      check: (_result, world) => expect(world.embedded).toEqual([member]),
    },
    {
      id: `JWT-00${6 + i}.3`,
      title: `${member} in the header, and no kid`,
      token: () =>
        mint("generic", { key: mallory, header: { kid: undefined, [member]: embedded[member] } }),
      expect: "token-signature",
    },
  ]),
  {
    id: "JWT-010",
    title: "an ECDSA signature of 64 zero bytes",
    token: () => mint("generic", { key: ec, signature: Buffer.alloc(64) }),
    expect: "token-signature",
  },
  {
    id: "JWT-011",
    title: "an ES256 signature in DER",
    token: () => {
      const [head, body] = parts(mint("generic", { key: ec }));
      const der = sign("sha256", Buffer.from(`${head}.${body}`), ec.privateKey);
      return `${head}.${body}.${encode(der)}`;
    },
    expect: "token-signature",
  },
  {
    id: "JWT-016.1",
    title: "the payload is no UTF-8",
    token: () => mint("generic", { payload: Buffer.from('{"sub":"\xe4"}', "latin1") }),
    expect: malformed,
  },
  {
    id: "JWT-016.2",
    title: "the header is no UTF-8",
    token: () => {
      const head = Buffer.from('{"alg":"RS256","x":"\xe4"}', "latin1").toString("base64url");
      return `${head}.${parts(mint("generic")).slice(1).join(".")}`;
    },
    expect: malformed,
  },
  {
    id: "JWT-017.1",
    title: "the payload is a list",
    token: () => mint("generic", { payload: "[]" }),
    expect: malformed,
  },
  {
    id: "JWT-017.2",
    title: "the payload is a text",
    token: () => mint("generic", { payload: '"alice"' }),
    expect: malformed,
  },
  {
    id: "JWT-017.3",
    title: "the payload is null",
    token: () => mint("generic", { payload: "null" }),
    expect: malformed,
  },
  {
    id: "JWT-018.1",
    title: "four segments",
    token: () => `${mint("generic")}.AAAA`,
    expect: malformed,
  },
  {
    id: "JWT-018.2",
    title: "two segments",
    token: () => parts(mint("generic")).slice(0, 2).join("."),
    expect: malformed,
  },
  { id: "JWT-018.3", title: "six segments", token: () => "a.b.c.d.e.f", expect: malformed },
  { id: "JWT-018.4", title: "an empty segment", token: () => "a..c", expect: malformed },
  {
    id: "JWT-018.5",
    title: "ten thousand dots",
    token: () => ".".repeat(10_000),
    expect: malformed,
  },
  {
    id: "JWT-019",
    title: "the alphabet of plain base64",
    token: () => withUrlCharacters().replaceAll("-", "+").replaceAll("_", "/"),
    expect: malformed,
  },
  {
    id: "JWT-023",
    title: "8 MiB, correctly signed",
    token: () => mint("generic", { claims: { pad: "x".repeat(6 << 20) } }),
    expect: "token-too-large",
  },
  {
    id: "JWT-024.1",
    title: "a claim nested 200,000 deep",
    token: () =>
      mint("generic", { claims: { x: new Raw(`${"[".repeat(200_000)}${"]".repeat(200_000)}`) } }),
    expect: "token-too-large",
  },
  {
    id: "JWT-024.2",
    title: "a claim nested as deep as the cap allows",
    token: () =>
      mint("generic", { claims: { x: new Raw(`${"[".repeat(5000)}${"]".repeat(5000)}`) } }),
    expect: malformed,
  },
  {
    id: "JWT-029",
    title: "sub twice",
    token: () => mint("generic", { claims: { sub: new Raw('"alice","sub":"root"') } }),
    expect: malformed,
  },
  {
    id: "JWT-029.1",
    title: "sub twice, once escaped",
    token: () => mint("generic", { claims: { sub: new Raw('"alice","su\\u0062":"root"') } }),
    expect: malformed,
  },
  {
    id: "JWT-029.2",
    title: "a member twice below the top",
    token: () => mint("generic", { claims: { x: new Raw('{"a":1,"a":2}') } }),
    expect: malformed,
  },
  {
    id: "JWT-030",
    title: "alg twice",
    token: () => mint("generic", { header: { alg: new Raw('"none","alg":"RS256"') } }),
    expect: malformed,
  },
  {
    id: "JWT-032",
    title: "a padded signature",
    token: () => `${mint("generic")}=`,
    expect: malformed,
  },
  {
    id: "JWT-033.1",
    title: "a space inside a segment",
    token: () => mint("generic").replace(".", ". "),
    expect: malformed,
  },
  {
    id: "JWT-033.2",
    title: "a space behind the token",
    token: () => `${mint("generic")} `,
    expect: malformed,
  },
  {
    id: "JWT-034.1",
    title: "a newline behind the token",
    token: () => `${mint("generic")}\n`,
    expect: malformed,
  },
  {
    id: "JWT-034.2",
    title: "a newline behind the header",
    token: () => mint("generic").replace(".", "\n."),
    expect: malformed,
  },
  {
    id: "JWT-035",
    title: "a last signature character with spare bits set",
    token: withSpareBits,
    expect: malformed,
  },
  {
    id: "JWT-036",
    title: "the payload begins with a byte order mark",
    token: () => mint("generic", { payload: `\ufeff${json({ sub: "alice", exp: now + 9 })}` }),
    expect: malformed,
  },
  {
    id: "JWT-038.1",
    title: "claims named like members of an object prototype",
    token: () =>
      mint("generic", {
        claims: { ["__proto__"]: { admin: true }, constructor: "x", toString: "y" },
      }),
    expect: "accept",
    check: (result) => {
      const token = "token" in result ? result.token : null;
      expect(token?.claims.get("__proto__")).toEqual({ type: "object", json: '{"admin":true}' });
      expect(token?.claims.get("constructor")).toEqual({ type: "string", text: "x" });
      expect(token?.claims.get("hasOwnProperty")).toBeUndefined();
      expect("admin" in {}).toBe(false);
    },
  },
  {
    id: "JWT-038.2",
    title: "the required claims only under __proto__",
    token: () =>
      mint("generic", {
        claims: { sub: undefined, ["__proto__"]: new Raw('{"sub":"alice","exp":9e9}') },
      }),
    expect: "token-claims",
  },
  {
    id: "JWT-102.1",
    title: "alg only in an unprotected header",
    token: () => {
      const [head, body, signature] = parts(mint("generic", { header: { alg: undefined } }));
      return json({ protected: head, header: { alg: "RS256" }, payload: body, signature });
    },
    expect: malformed,
  },
  {
    id: "JWT-102.2",
    title: "no alg",
    token: () => mint("generic", { header: { alg: undefined } }),
    expect: malformed,
  },
  {
    id: "JWT-102.3",
    title: "alg is a list",
    token: () => mint("generic", { header: { alg: ["RS256"] } }),
    expect: malformed,
  },
  {
    id: "JWT-103",
    title: "general JSON serialization",
    token: () => {
      const [head, body, signature] = parts(mint("generic"));
      return json({ payload: body, signatures: [{ protected: head, signature }] });
    },
    expect: malformed,
  },
  {
    id: "JWT-104",
    title: "flattened JSON serialization",
    token: () => {
      const [head, body, signature] = parts(mint("generic"));
      return json({ payload: body, protected: head, signature });
    },
    expect: malformed,
  },
  ...["JWT", "jwt", "application/jwt", "at+jwt", "JWE"].map((cty, i): Row => {
    const token = () => mint("generic", { header: { cty } });
    return {
      id: `JWT-105.${i + 1}`,
      title: `a nested token, cty ${cty}`,
      token,
      expect: "token-kind",
    };
  }),
  {
    id: "JWT-106.1",
    title: "an encrypted token",
    token: () => "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkExMjhHQ00ifQ.a2V5.aXY.Y3Q.dGFn",
    expect: "token-kind",
  },
  {
    id: "JWT-106.2",
    title: "an encrypted token with a direct key",
    token: () => "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..aXY.Y3Q.dGFn",
    expect: "token-kind",
  },
  {
    id: "JWT-023.1",
    title: "the longest token that is looked at, all of it junk",
    token: () => "a".repeat(16_384),
    expect: malformed,
  },
  {
    id: "JWT-010.1",
    title: "an RS256 signature that is one byte longer",
    token: () => {
      const [head, body] = parts(mint("generic"));
      const data = Buffer.from(`${head}.${body}`);
      const key = { key: rsa.privateKey, padding: constants.RSA_PKCS1_PADDING };
      const signature = Buffer.concat([sign("sha256", data, key), Buffer.of(0)]);
      return `${head}.${body}.${encode(signature)}`;
    },
    expect: "token-signature",
  },
];
