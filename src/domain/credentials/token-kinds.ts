import { genericKind } from "./kind-generic.ts";
import { jwtSvidKind } from "./kind-jwt-svid.ts";
import { kubernetesKind } from "./kind-kubernetes.ts";
import { oidcIdKind } from "./kind-oidc-id.ts";
import { rfc9068Kind } from "./kind-rfc9068.ts";
import type { TokenKind, TokenKindName } from "./token-kind.ts";

/** The registry: one line a kind. */
export const tokenKinds: Readonly<Record<TokenKindName, TokenKind>> = {
  kubernetes: kubernetesKind,
  "oidc-id": oidcIdKind,
  rfc9068: rfc9068Kind,
  generic: genericKind,
  "jwt-svid": jwtSvidKind,
};
