import { deny } from "../request/denied.ts";
import { parseSpiffeId } from "../request/spiffe-id.ts";
import type { TokenAlgorithm } from "./algorithm.ts";
import { claimText } from "./claims.ts";
import type { TokenKind } from "./token-kind.ts";

/** The algorithms of JWT-SVIDs (JWT-SVID specification, 2.1): no EdDSA. */
export const jwtSvidAlgorithms: readonly TokenAlgorithm[] = [
  "RS256",
  "RS384",
  "RS512",
  "ES256",
  "ES384",
  "ES512",
  "PS256",
  "PS384",
  "PS512",
];

/** A JWT-SVID (JWT-SVID specification, 2 and 3). */
export const jwtSvidKind: TokenKind = {
  name: "jwt-svid",
  acceptsTyp: (typ) => typ === null || typ === "jwt" || typ === "jose",
  required: [],
  strictAudience: false,
  judge(claims) {
    const id = parseSpiffeId(claimText(claims, "sub") ?? "");
    return id.ok ? null : deny("token-claims", id.code);
  },
};
