import { isFingerprint } from "../../domain/bundle/ed25519.ts";
import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";

/** Throws `config-invalid` unless `fingerprints` are one or more: without a root nobody is believed. */
export function requireFingerprints(fingerprints: readonly string[]): void {
  const odd = fingerprints.find((text) => !isFingerprint(text));
  if (odd === undefined && fingerprints.length > 0) return;
  const expected = "expected root fingerprints, `sha256:` and 64 hex digits each";
  throw new MeshIamError("config-invalid", `${expected}, got ${quote(odd ?? "")}`);
}
