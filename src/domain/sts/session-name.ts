import { createHash } from "node:crypto";
import { sessionNamePattern } from "../directory/shape/names.ts";

/** The form of the names made here. */
const madeName = /^s-[0-9a-f]{32}$/;

/** True for a text that may be a session's name or source identity. */
export function isSessionName(text: string): boolean {
  return sessionNamePattern.test(text);
}

/**
 * Returns the name of a session that a token gives (STS-10): the declared text if it is a session name,
 * else `s-` and the first 32 hex digits of SHA-256(issuer, NUL, subject). Characters are never replaced,
 * and a declared text in the form of a made name does not count, so no subject takes another's name.
 */
export function sessionNameOf(declared: string | null, issuer: string, subject: string): string {
  if (declared !== null && isSessionName(declared) && !madeName.test(declared)) return declared;
  const digest = createHash("sha256").update(`${issuer}\0${subject}`).digest("hex");
  return `s-${digest.slice(0, 32)}`;
}
