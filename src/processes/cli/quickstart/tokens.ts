import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** The sample OIDC provider: its keys live in this process, its key set is what the provider publishes. */
export interface TokenIssuer {
  /** The JWK Set with the public key. */
  readonly jwks: string;
  /** Returns a signed ID token of `claims` on top of issuer, audience and times. */
  issue(claims: Readonly<Record<string, unknown>>): string;
}

/** How long the tokens of the quickstart last, so that the curl lines keep working for a while. */
const lifetimeSeconds = 8 * 3600;

/** Returns an issuer `iss` with a new P-256 key named `kid`; `now` is in ms. */
export function createTokenIssuer(
  iss: string,
  aud: string,
  kid: string,
  now: () => number,
): TokenIssuer {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = createPublicKey(privateKey).export({ format: "jwk" });
  return {
    jwks: JSON.stringify({ keys: [{ ...jwk, kid, use: "sig", alg: "ES256" }] }),
    issue(claims) {
      const iat = Math.floor(now() / 1000);
      const payload = { iss, aud, iat, exp: iat + lifetimeSeconds, ...claims };
      return signToken(privateKey, kid, payload);
    },
  };
}

function signToken(key: KeyObject, kid: string, payload: object): string {
  const text = `${encode({ alg: "ES256", typ: "JWT", kid })}.${encode(payload)}`;
  const signature = sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64url")}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
