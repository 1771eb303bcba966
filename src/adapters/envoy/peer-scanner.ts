import type { PairReader } from "./pair-reader.ts";
import { type RequestRecord, slot, socketAddress } from "./request-record.ts";
import { bytesTag, bytesType, varintTag, type WireReader } from "./wire-reader.ts";

/** Which of the two peers of a request: the index of its address in the record. */
export type PeerIndex = 0 | 1;
export const source: PeerIndex = 0;
export const destination: PeerIndex = 1;

/** Notes what an AttributeContext.Peer that ends at `end` says. `pairs` reads its labels. */
export function scanPeer(
  reader: WireReader,
  record: RequestRecord,
  which: PeerIndex,
  end: number,
  pairs: PairReader,
): void {
  while (reader.position < end) {
    const next = reader.tag(end);
    switch (next) {
      case bytesTag(1):
        scanAddress(reader, record, which, reader.payload(end));
        break;
      case bytesTag(2):
        reader.skip(next, end);
        break;
      case bytesTag(3):
        pairs.entry(reader.payload(end));
        if (which === destination) pairs.keepIn(record.labels);
        break;
      case bytesTag(4):
        note(
          reader,
          record,
          which === source ? slot.sourcePrincipal : slot.destinationPrincipal,
          end,
        );
        break;
      case bytesTag(5):
        if (which === source) note(reader, record, slot.sourceCertificate, end);
        else reader.skip(next, end);
        break;
      default:
        reader.skipUnknown(next, end, 0b11_1110);
    }
  }
}

function scanAddress(
  reader: WireReader,
  record: RequestRecord,
  which: PeerIndex,
  end: number,
): void {
  const { addressKinds, ports, spans } = record;
  const at = which === source ? slot.sourceAddress : slot.destinationAddress;
  while (reader.position < end) {
    const next = reader.tag(end);
    const kind = next >>> 3;
    if ((next & 7) !== bytesType || kind > 3) {
      reader.skipUnknown(next, end, 0b1110);
      continue;
    }
    // A oneof: another member forgets the one before, the same member is merged.
    if (addressKinds[which] !== kind) {
      addressKinds[which] = kind;
      ports[which] = -1;
      spans[at * 2] = 0;
      spans[at * 2 + 1] = 0;
    }
    const stop = reader.payload(end);
    if (kind === socketAddress) scanSocketAddress(reader, record, which, at, stop);
    else reader.skipFields(stop, kind === 2 ? 0b010 : 0b110, kind === 2 ? 0b100 : 0);
  }
}

function scanSocketAddress(
  reader: WireReader,
  record: RequestRecord,
  which: PeerIndex,
  at: number,
  end: number,
): void {
  while (reader.position < end) {
    const next = reader.tag(end);
    switch (next) {
      case bytesTag(2):
        note(reader, record, at, end);
        break;
      case varintTag(3):
        reader.varint(end);
        record.ports[which] = reader.low;
        break;
      case bytesTag(4):
        reader.skip(next, end);
        record.ports[which] = -1; // named_port is the other member of the oneof
        break;
      case varintTag(1):
      case bytesTag(5):
      case varintTag(6):
      case bytesTag(7):
        reader.skip(next, end);
        break;
      default:
        reader.skipUnknown(next, end, 0b1111_1110);
    }
  }
}

/** Notes where the text of the record's slot `at` is. */
export function note(reader: WireReader, record: RequestRecord, at: number, end: number): void {
  const stop = reader.payload(end);
  record.spans[at * 2] = reader.position;
  record.spans[at * 2 + 1] = stop;
  reader.position = stop;
}
