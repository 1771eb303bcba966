import { createTokenIssuer } from "../../src/processes/cli/quickstart/tokens.ts";

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
  const { jwks, issue } = createTokenIssuer(issuer, audience, "bench-1", () => nowMs);
  const exp = Math.floor(nowMs / 1000) + 86_400;
  return {
    jwks,
    issue(name) {
      const claims = { sub: `user-${name}`, preferred_username: name, exp, groups: ["readers"] };
      const bare = issue({ ...claims, padding: "" });
      const [, payload = ""] = bare.split(".");
      const bytes = Math.floor(((payload.length + tokenBytes - bare.length) * 3) / 4);
      const padding = "p".repeat(bytes - Buffer.byteLength(payload, "base64url"));
      return issue({ ...claims, padding });
    },
  };
}
