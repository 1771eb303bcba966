import type { Attempt } from "../../adapters/distribution/attempt.ts";
import { MeshIamError } from "../../iam/error.ts";

/** Returns the value of an attempt; throws why there is none. */
export function unwrap<T>(attempt: Attempt<T>): T {
  if (attempt.ok) return attempt.value;
  throw new MeshIamError(attempt.code, attempt.message);
}
