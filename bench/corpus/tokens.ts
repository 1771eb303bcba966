import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";

/** What the bench's tokens say; the rest of the organization is made to fit. */
export const issuer = "https://login.example.com";
export const audience = "mesh";

/** Bytes of a token: as many as the message of performance 1.1 carries. */
export const tokenBytes = 614;

/** An OIDC provider of the bench's own. */
export interface TokenSource {
  /** The key set that the provider would publish. */
  readonly jwks: string;
  /** Returns the ES256 ID token of the user `name`: `tokenBytes` long, valid for a day. */
  issue(name: string): string;
}

/** Returns a provider with a new P-256 key; `nowMs` is when its tokens begin. */
export function createTokenSource(nowMs: number): TokenSource {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const kid = "bench-1";
  const jwk = createPublicKey(privateKey).export({ format: "jwk" });
  const header = encode({ alg: "ES256", typ: "JWT", kid });
  const iat = Math.floor(nowMs / 1000);
  const signatureChars = 86;
  const payloadChars = tokenBytes - header.length - signatureChars - 2;
  return {
    jwks: JSON.stringify({ keys: [{ ...jwk, kid, use: "sig", alg: "ES256" }] }),
    issue(name) {
      const claims = {
        iss: issuer,
        aud: audience,
        sub: `user-${name}`,
        preferred_username: name,
        iat,
        exp: iat + 86_400,
        groups: ["readers"],
        padding: "",
      };
      const bytes = Math.floor((payloadChars * 3) / 4);
      claims.padding = "p".repeat(bytes - JSON.stringify(claims).length);
      const text = `${header}.${encode(claims)}`;
      const signature = sign("sha256", Buffer.from(text), {
        key: privateKey,
        dsaEncoding: "ieee-p1363",
      });
      return `${text}.${signature.toString("base64url")}`;
    },
  };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
