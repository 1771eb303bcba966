import { compareBytes } from "./byte-order.ts";
import { hexDigest } from "./digest.ts";

/** The slice that is built without naming services. */
export const everything = "all";

/** Returns the ARN of a service, the same formula as in its definition. */
export function serviceArn(partition: string, account: string, name: string): string {
  return `arn:${partition}:mesh-iam::${account}:service/${name}`;
}

/**
 * Returns the name of the slice for the sidecar that fronts `services` (control-plane 2.2):
 * `{account}.{service}` for one, else `set-` and the first 16 bytes, in hex, of the digest of their
 * ARNs, sorted and joined by line feeds. An ARN named twice counts once.
 */
export function sliceName(
  partition: string,
  services: readonly { readonly account: string; readonly name: string }[],
): string {
  const arns = new Set(services.map((s) => serviceArn(partition, s.account, s.name)));
  const [first] = services;
  if (first !== undefined && arns.size === 1) return `${first.account}.${first.name}`;
  const sorted = [...arns].sort(compareBytes);
  return `set-${hexDigest(sorted.join("\n")).slice(0, 32)}`;
}
