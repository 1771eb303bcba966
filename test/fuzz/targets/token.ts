import { claimsOf } from "../../../src/domain/credentials/claims.ts";
import {
  defaultMaxTokenChars,
  openCompact,
  readObject,
} from "../../../src/domain/credentials/compact.ts";
import { isDenied } from "../../../src/domain/request/denied.ts";
import { parseSpiffeId } from "../../../src/domain/request/spiffe-id.ts";
import { bytesOf, must, type Target, unitsOf } from "../target.ts";

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** FUZ-05: everything of a token that is read before its signature is verified. */
export const token: Target = {
  name: "token",
  id: "FUZ-05",
  about: "a compact token, and the same bytes as a payload and as a SPIFFE id",
  words: ["eyJhbGciOiJSUzI1NiJ9", ".", "..", '"crit":["b64"]', '"aud":["mesh"]', "=", "\\ud800"],
  seeds: () => [
    bytesOf(`${encode({ alg: "RS256", kid: "a" })}.${encode({ iss: "i", aud: ["a"] })}.QUJD`),
    bytesOf(`${encode({ alg: "ES256", typ: "JWT", cty: "JWT" })}.${encode({ sub: "s" })}.QUJD`),
    bytesOf('{"iss":"https://i.example","aud":["a","b"],"exp":1800000000.5,"amr":{"x":[null]}}'),
    bytesOf("spiffe://cluster.local/ns/shop/sa/orders"),
  ],
  fuzz(data) {
    const text = unitsOf(data);
    const opened = openCompact(text, defaultMaxTokenChars);
    if (!isDenied(opened)) {
      const signature = Buffer.from(opened.signature).toString("base64url");
      must(`${opened.signedText}.${signature}` === text, "a token has one spelling");
      readPayload(opened.payload);
    }
    readPayload(data);
    const id = parseSpiffeId(text);
    if (id.ok) must(text.startsWith("spiffe://"), "a SPIFFE id has its scheme");
  },
};

function readPayload(bytes: Uint8Array): void {
  const object = readObject(bytes);
  if (isDenied(object)) return;
  const read: unknown = JSON.parse(object.text); // what ours reads, the platform reads
  must(typeof read === "object" && read !== null, "a payload is an object");
  must(Object.keys(read).length === object.members.size, "every member is kept");
  claimsOf(object);
}
