import type { Poison } from "../directory/model.ts";
import { compareBytes } from "./byte-order.ts";

/** Returns the order of markers in a part: by kind, id, then reason, in bytes. */
export function comparePoison(a: Poison, b: Poison): number {
  return (
    compareBytes(a.kind, b.kind) ||
    compareBytes(a.objectId, b.objectId) ||
    compareBytes(a.reason, b.reason)
  );
}
