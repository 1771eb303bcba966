import { type Parsed, quote } from "../../iam/problem.ts";
import type { Directory } from "../directory/model.ts";
import { scopeOf } from "../directory/scope.ts";
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

/**
 * Returns `directory` scoped to `services`, each `{account}/{name}`, with the name of that slice; with
 * null the whole directory, slice `all`. Refusal: `service-unknown`.
 */
export function sliceDirectory(
  directory: Directory,
  services: readonly string[] | null,
): Parsed<{ readonly slice: string; readonly directory: Directory }> {
  if (services === null) return { ok: true, value: { slice: everything, directory } };
  const wanted = new Set(services);
  const found = directory.services.filter(({ account, name }) =>
    wanted.delete(`${account}/${name}`),
  );
  const [unknown] = wanted;
  if (unknown !== undefined || found.length === 0) {
    const got = quote(unknown ?? "");
    const message = `expected {account}/{name} of a service of the documents, got ${got}`;
    return {
      ok: false,
      code: "service-unknown",
      message: `${message}; ${knownServices(directory)}`,
    };
  }
  const slice = sliceName(directory.partition, found);
  return { ok: true, value: { slice, directory: scopeOf(directory, found) } };
}

const maxListed = 10;

/** For a message: the services that could have been meant. */
function knownServices({ services }: Directory): string {
  if (services.length === 0) return "they have none";
  const shown = services
    .slice(0, maxListed)
    .map(({ account, name }) => quote(`${account}/${name}`));
  const more = services.length - shown.length;
  return `they have ${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
