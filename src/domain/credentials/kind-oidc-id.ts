import { judgeSubject } from "./subject.ts";
import type { TokenKind } from "./token-kind.ts";

/** An ID token (OpenID Connect Core 1.0, 2 and 3.1.3.7). */
export const oidcIdKind: TokenKind = {
  name: "oidc-id",
  acceptsTyp: (typ) => typ === null || typ === "jwt",
  required: ["iat"],
  strictAudience: true,
  judge: judgeSubject,
};
