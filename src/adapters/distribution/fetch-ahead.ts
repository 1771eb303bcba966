import { maxFrameBytes } from "../../domain/bundle/frame.ts";
import type { BundleLimits } from "../../domain/bundle/limits.ts";
import type { ObjectRequest } from "../../domain/bundle/verify-content.ts";
import type { Carrier } from "./carrier.ts";

/** Objects on their way at once: enough to hide a round trip, few enough to bound memory. */
const parallel = 8;

/**
 * Returns the fetcher of objects for one offer. Those of `inline`, which came with the head, need no
 * fetch; of a round it asks for the next few ahead. Nothing is kept beyond the offer.
 */
export function createObjectFetcher(
  carrier: Carrier,
  inline: ReadonlyMap<string, Uint8Array>,
): (request: ObjectRequest) => Promise<Uint8Array | null> {
  const underWay = new Map<string, Promise<Uint8Array | null>>();
  let round: ObjectRequest["round"] = [];
  let position = 0;

  const begin = (digest: string, maxBytes: number): Promise<Uint8Array | null> => {
    const begun = underWay.get(digest);
    if (begun !== undefined) return begun;
    const fetching = carrier
      .get({ type: "object", digest }, maxBytes)
      .then((fetched) => (fetched.ok ? fetched.bytes : null));
    underWay.set(digest, fetching);
    return fetching;
  };

  return async (request) => {
    if (request.round !== round) {
      round = request.round;
      position = 0;
    }
    while (position < round.length && round[position]?.digest !== request.digest) position++;
    const ahead = round.slice(position, position + parallel);
    for (const { digest, bytes } of ahead) {
      if (!inline.has(digest)) void begin(digest, maxFrameBytes(bytes));
    }
    const { digest } = request;
    const frame = await (inline.get(digest) ?? begin(digest, request.maxFrameBytes));
    underWay.delete(digest);
    return frame;
  };
}

/**
 * Returns the key sets above number `above` that the carrier has, in order and without a gap
 * (BUN-30); none when there is no newer one.
 */
export async function fetchKeySets(
  carrier: Carrier,
  org: string,
  above: number,
  limits: BundleLimits,
): Promise<Map<number, Uint8Array>> {
  const keySets = new Map<number, Uint8Array>();
  for (let number = above + 1; keySets.size < limits.maxKeySets; number++) {
    const fetched = await carrier.get({ type: "key-set", org, number }, limits.maxKeySetBytes);
    if (!fetched.ok) break;
    keySets.set(number, fetched.bytes);
  }
  return keySets;
}
