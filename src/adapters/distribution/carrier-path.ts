/** What can be asked for over HTTPS (control-plane 2.4, 2). */
export type CarrierPath =
  | { readonly type: "head"; readonly org: string; readonly slice: string }
  /** Lower-case hex. */
  | { readonly type: "object"; readonly digest: string }
  | { readonly type: "key-set"; readonly org: string; readonly number: number };

/** Names of organizations and slices that can stand in a path as they are. */
const plainName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const digestForm = /^[0-9a-f]{64}$/;
const numberForm = /^[1-9][0-9]{0,14}$/;

/** Returns the path of a URL, to be put behind the address of a carrier. */
export function formatCarrierPath(path: CarrierPath): string {
  switch (path.type) {
    case "head":
      return `/v1/heads/${path.org}/${path.slice}`;
    case "object":
      return `/v1/objects/${path.digest}`;
    case "key-set":
      return `/v1/keysets/${path.org}/${path.number}`;
  }
}

/** Returns what the path of a URL asks for, null when that is none of ours. Untrusted, any length. */
export function parseCarrierPath(text: string): CarrierPath | null {
  const [empty, version, kind, first = "", second, excess] = text.slice(0, 512).split("/");
  if (empty !== "" || version !== "v1" || excess !== undefined) return null;
  if (kind === "objects") {
    const isDigest = second === undefined && digestForm.test(first);
    return isDigest ? { type: "object", digest: first } : null;
  }
  if (second === undefined || !plainName.test(first)) return null;
  if (kind === "heads" && plainName.test(second)) {
    return { type: "head", org: first, slice: second };
  }
  if (kind === "keysets" && numberForm.test(second)) {
    return { type: "key-set", org: first, number: Number(second) };
  }
  return null;
}
