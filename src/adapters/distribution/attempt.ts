import type { Refusal } from "../../domain/bundle/refusal.ts";
import { quote } from "../../iam/problem.ts";
import type { ErrorCode } from "../../iam/reason.ts";

/** What a command comes to: a value, or why not, for a person to read. */
export type Attempt<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

/** Returns a failed attempt. */
export function fail(
  code: ErrorCode,
  message: string,
): { readonly ok: false; readonly code: ErrorCode; readonly message: string } {
  return { ok: false, code, message };
}

/** Returns the attempt that a refusal ended; the part at fault stands first in the message. */
export function failWith({ code, detail, partId }: Refusal): Attempt<never> {
  return fail(code, partId === null ? detail : `${quote(partId)}: ${detail}`);
}
