import { grpcFrame } from "../../test/fakes/grpc-client.ts";
import { type CheckCorpus, orderDigits } from "../corpus/check-requests.ts";
import type { MessageSource } from "./grpc-connection.ts";

/** Of a gRPC frame. */
const prefixBytes = 5;

/** Returns the messages of the corpus in turn: after one round each question was asked before. */
export function repeatedMessages(corpus: CheckCorpus): MessageSource {
  const frames = corpus.allowed.map((message) => grpcFrame(message));
  let n = 0;
  return { next: () => frames[n++ % frames.length] as Buffer };
}

/**
 * Returns the same with an order's number of its own in each: no question is ever asked twice. Each of
 * `sources` sources that run side by side has a `first` of its own, from 0.
 */
export function freshMessages(corpus: CheckCorpus, first: number, sources: number): MessageSource {
  const frames = corpus.allowed.map((message) => grpcFrame(message));
  let n = first;
  return {
    next() {
      const at = n % frames.length;
      const frame = frames[at] as Buffer;
      for (const place of corpus.orderDigits[at] ?? []) writeNumber(frame, place + prefixBytes, n);
      n += sources;
      return frame;
    },
  };
}

/** The corpus begins its numbers with 7, these begin with 8. */
function writeNumber(frame: Buffer, at: number, n: number): void {
  frame[at] = 0x38;
  let rest = n;
  for (let place = at + orderDigits - 1; place > at; place--) {
    frame[place] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}
