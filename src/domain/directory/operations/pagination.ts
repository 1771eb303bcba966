import { createHash } from "node:crypto";
import { compareText } from "../compare-text.ts";
import { text, whole } from "../shape/scalars.ts";
import { optional } from "../shape/shape.ts";
import { done, type Success } from "./operation.ts";
import { type Refusal, refuse } from "./refusal.ts";
import type { Input } from "./subject.ts";

/** Of every list (API-3). */
export const pageMembers = {
  marker: optional(text("a marker", /^[A-Za-z0-9_-]{1,4096}$/, 4096), null, "From the last page."),
  maxItems: optional(whole(1, 1000), 100, "Most items of a page."),
};

/** One item of a list: where it stands, and how it is shown. */
export interface Item {
  readonly key: string;
  readonly show: () => unknown;
}

/**
 * Returns a page of `items` under the member `name`, in the order of their keys. The marker is the key of
 * the last item shown with a digest of the request that it belongs to: it grants nothing, and with
 * another filter it is a `ValidationError`. Only the items of the page are shown; all are sorted.
 */
export function page(
  operation: string,
  name: string,
  items: Iterable<Item>,
  input: Input,
): Success | Refusal {
  const { marker, maxItems, ...filter } = input;
  const digest = createHash("sha256")
    .update(JSON.stringify([operation, Object.entries(filter).sort()]), "utf8")
    .digest("base64url")
    .slice(0, 16);
  const after = marker === null ? null : positionOf(String(marker), digest);
  if (after === undefined) {
    const message = "expected a marker of this very request";
    return refuse("ValidationError", message, { field: "marker" });
  }
  const sorted = [...items].sort((a, b) => compareText(a.key, b.key));
  const rest = after === null ? sorted : sorted.filter(({ key }) => key > after);
  const shown = rest.slice(0, Number(maxItems));
  const last = shown.at(-1);
  const isTruncated = rest.length > shown.length;
  const next = isTruncated && last !== undefined ? { marker: markerOf(digest, last.key) } : {};
  return done([], { [name]: shown.map(({ show }) => show()), isTruncated, ...next });
}

function markerOf(digest: string, key: string): string {
  return Buffer.from(`${digest}${key}`, "utf8").toString("base64url");
}

function positionOf(marker: string, digest: string): string | undefined {
  const plain = Buffer.from(marker, "base64url").toString("utf8");
  return plain.startsWith(digest) ? plain.slice(digest.length) : undefined;
}
