import { extendKeySets, type KeySetChain, type TrustAnchors } from "./key-set-chain.ts";
import type { Refusal } from "./refusal.ts";
import type { SignedBundle } from "./signed-bundle.ts";
import { type VerifiedContent, verifyContent } from "./verify-content.ts";
import { type AcceptedHead, type HeadExpectations, verifyHead } from "./verify-head.ts";

/** A bundle every byte of which the installed roots vouch for. */
export interface VerifiedBundle extends AcceptedHead, VerifiedContent {
  readonly keySets: KeySetChain;
}

/**
 * Returns the directory that a bundle in memory holds, or its refusal: key sets, head, manifest,
 * parts, in this order, each verified before it is read. What a carrier does step by step, at once.
 * `accepted` are the key sets of earlier calls, null at first.
 */
export function verifyBundle(
  bundle: SignedBundle,
  anchors: TrustAnchors,
  accepted: KeySetChain | null,
  expected: HeadExpectations,
): ({ readonly ok: true } & VerifiedBundle) | Refusal {
  const { chain, refusal } = extendKeySets(accepted, bundle.keySets, anchors, expected.limits);
  if (refusal !== null) return refusal;
  // INVARIANT: without a refusal there is a chain.
  const keySets = chain as KeySetChain;
  const head = verifyHead(bundle.head, keySets, expected);
  if (!head.ok) return head;
  const verification = verifyContent(head.head, new Map(), expected.limits);
  let step = verification.next(null);
  while (step.done !== true) {
    step = verification.next(bundle.objects.get(step.value.digest) ?? null);
  }
  return step.value.ok ? { ...head, ...step.value, keySets } : step.value;
}
