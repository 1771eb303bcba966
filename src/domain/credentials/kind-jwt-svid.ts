import { deny } from "../request/denied.ts";
import { claimText } from "./claims.ts";
import { parseSpiffeId } from "./spiffe.ts";
import type { TokenKind } from "./token-kind.ts";

/** A JWT-SVID (JWT-SVID specification, 2 and 3). */
export const jwtSvidKind: TokenKind = {
  name: "jwt-svid",
  acceptsTyp: (typ) => typ === null || typ === "jwt" || typ === "jose",
  required: [],
  algorithms: ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"],
  strictAudience: false,
  judge(claims) {
    const id = parseSpiffeId(claimText(claims, "sub") ?? "");
    return id.ok ? null : deny("token-claims", id.code);
  },
};
