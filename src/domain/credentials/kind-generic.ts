import { judgeSubject } from "./subject.ts";
import type { TokenKind } from "./token-kind.ts";

/** Any other issuer of JWTs, Keycloak's and Google's access tokens among them. */
export const genericKind: TokenKind = {
  name: "generic",
  acceptsTyp: (typ, extraTyp) =>
    // `at+jwt` stays with rfc9068, even where a provider asks for it (JWT-165).
    typ !== "at+jwt" && (typ === null || typ === "jwt" || typ === extraTyp),
  required: [],
  strictAudience: false,
  judge: judgeSubject,
};
