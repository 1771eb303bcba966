import {
  type BuiltBundle,
  type BundleOptions,
  buildBundle,
} from "../../src/domain/bundle/build.ts";
import { defaultBundleLimits } from "../../src/domain/bundle/limits.ts";
import type { SignedBundle } from "../../src/domain/bundle/signed-bundle.ts";
import type { HeadExpectations } from "../../src/domain/bundle/verify-head.ts";
import type { Directory } from "../../src/domain/directory/model.ts";
import { sampleDirectory } from "./bundle-directory.ts";
import { bundleKey, nowMs, sealedKeySet } from "./bundle-keys.ts";

export const hourMs = 3_600_000;

/** Returns a bundle of `directory` at revision 5 as a builder makes it, issued at `nowMs` for an hour. */
export function builtOf(
  directory: Directory = sampleDirectory(),
  changes: Partial<BundleOptions> = {},
): BuiltBundle {
  const built = buildBundle(directory, {
    slice: "all",
    epoch: 1,
    revision: 5,
    coveredRevision: changes.revision ?? 5,
    issuedAtMs: nowMs,
    validForMs: hourMs,
    signer: bundleKey,
    ...changes,
  });
  if (!built.ok) throw new Error(built.detail);
  return built.bundle;
}

/** Returns the same as a carrier has it, with key set 1. */
export function bundleOf(
  directory: Directory = sampleDirectory(),
  changes: Partial<BundleOptions> = {},
): SignedBundle {
  const { sealedHead, objects } = builtOf(directory, changes);
  return {
    head: sealedHead,
    objects,
    keySets: new Map([[1, sealedKeySet({ org: directory.org })]]),
  };
}

/** Returns what a sidecar without a floor expects of a carrier a second after `nowMs`. */
export function expecting(changes: Partial<HeadExpectations> = {}): HeadExpectations {
  return {
    slice: null,
    nowMs: nowMs + 1_000,
    floor: null,
    origin: "carrier",
    acceptStale: false,
    maxFutureMs: 300_000,
    limits: defaultBundleLimits,
    ...changes,
  };
}
