import { deny } from "../request/denied.ts";
import { claimText } from "./claims.ts";
import { judgeSubject } from "./subject.ts";
import type { TokenKind } from "./token-kind.ts";

/** A JWT access token (RFC 9068, 2 and 4). */
export const rfc9068Kind: TokenKind = {
  name: "rfc9068",
  acceptsTyp: (typ) => typ === "at+jwt",
  required: ["iat", "client_id", "jti"],
  strictAudience: false,
  judge(claims) {
    for (const name of ["client_id", "jti"]) {
      if ((claimText(claims, name) ?? "") === "") return deny("token-claims", name);
    }
    return judgeSubject(claims);
  },
};
