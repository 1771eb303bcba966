import { deny } from "../request/denied.ts";
import { claimText } from "./claims.ts";
import { memberOf, parseJsonObject, stringOf } from "./json-object.ts";
import type { TokenKind } from "./token-kind.ts";

/** A bound service-account token (Kubernetes, "Managing Service Accounts", bound tokens). */
export const kubernetesKind: TokenKind = {
  name: "kubernetes",
  acceptsTyp: (typ) => typ === null || typ === "jwt",
  required: ["kubernetes.io"],
  strictAudience: false,
  judge(claims) {
    const bound = claims.get("kubernetes.io");
    const parsed = bound?.type === "object" ? parseJsonObject(bound.json) : null;
    if (parsed === null || !parsed.ok) return deny("token-claims", "kubernetes.io");
    const { members } = parsed.value;
    const namespace = stringOf(members.get("namespace"));
    const account = stringOf(memberOf(members.get("serviceaccount"), "name"));
    const named = [namespace, account].every((name) => name !== null && /^[a-z0-9.-]+$/.test(name));
    if (!named) return deny("token-claims", "kubernetes.io");
    // Names hold no colon, so the one subject that they spell can be compared as a whole.
    return claimText(claims, "sub") === `system:serviceaccount:${namespace}:${account}`
      ? null
      : deny("token-claims", "sub");
  },
};
