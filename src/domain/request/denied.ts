import type { Reason } from "../../iam/reason.ts";

/**
 * A step of the journey that ends it: the reason from the catalogue, and a detail for the log alone
 * (`dot-segment`, a claim's name). Never thrown. The detail holds no secret and no token text.
 */
export interface Denied {
  readonly type: "denied";
  readonly reason: Reason;
  readonly detail: string;
}

/** Returns the end of a journey. */
export function deny(reason: Reason, detail = ""): Denied {
  return { type: "denied", reason, detail };
}

/** True for the end of a journey, false for a step's value (whose `type` is another word, or absent). */
export function isDenied(value: object): value is Denied {
  return "type" in value && value.type === "denied";
}
