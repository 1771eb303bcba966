import { parseIpAddress } from "../../iam/condition/ip-address.ts";
import type { CheckAttributes } from "./attributes.ts";

/**
 * Returns the client's address as text, or null where it is not known to be an IP address.
 *
 * Without trusted hops it is the peer of the connection, whatever `x-forwarded-for` says. With `n`
 * trusted hops it is the entry at position `n` from the right of that header, where the outermost
 * trusted proxy wrote it; too few entries give none, and never the peer, which is then a proxy. A
 * connection without a request has no such header and is its own peer.
 */
export function clientAddress(attributes: CheckAttributes, trustedHops: number): string | null {
  const address =
    trustedHops > 0 && attributes.hasRequest
      ? forwardedFor(attributes.header("x-forwarded-for")?.value ?? "", trustedHops)
      : attributes.sourceAddress;
  return address !== null && parseIpAddress(address) !== null ? address : null;
}

/** Several headers of the name are one list, in order, so a repetition is not ambiguous here. */
function forwardedFor(list: string, fromRight: number): string | null {
  let end = list.length;
  for (let position = 1; end > 0; position++) {
    const comma = list.lastIndexOf(",", end - 1);
    if (position === fromRight) return list.slice(comma + 1, end).trim();
    end = comma;
  }
  return null;
}
