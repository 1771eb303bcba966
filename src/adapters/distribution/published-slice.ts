import { type BuiltBundle, renewHead } from "../../domain/bundle/build.ts";
import type { Head } from "../../domain/bundle/head.ts";
import type { ServingLimits } from "./serving-limits.ts";

/** Objects of an event: hex digest and frame. */
export type EventObjects = readonly (readonly [digest: string, frame: Uint8Array])[];

/** What a manifest led to, and until when it is still served. */
interface Generation {
  readonly manifestDigest: string;
  readonly objects: ReadonlyMap<string, Uint8Array>;
  /** Infinity while it is in force. */
  untilMonotonicMs: number;
}

// Around the bytes of an object in an event: digest, tags and lengths.
const objectOverheadBytes = 64;
// Around everything else of an event but the head.
const eventOverheadBytes = 256;

/** One slice as it is served: the head in force, and the objects that it names or named lately. */
export class PublishedSlice {
  readonly #limits: ServingLimits;
  #head: Head;
  #sealedHead: Uint8Array;
  /** The newest first. */
  #generations: Generation[];
  /** What streams that hold a manifest lack, by its digest; of the head in force. */
  readonly #missing = new Map<string, EventObjects>();
  /** When the head is renewed next. */
  renewAtMonotonicMs: number;

  constructor(bundle: BuiltBundle, renewAtMonotonicMs: number, limits: ServingLimits) {
    this.#limits = limits;
    this.#head = bundle.head;
    this.#sealedHead = bundle.sealedHead;
    this.#generations = [generationOf(bundle)];
    this.renewAtMonotonicMs = renewAtMonotonicMs;
  }

  get head(): Head {
    return this.#head;
  }

  /** `Signed` over the head. The same array until the head is another one. */
  get sealedHead(): Uint8Array {
    return this.#sealedHead;
  }

  /** Takes a newer bundle over; false, and no effect, for one behind what is served. */
  replace(bundle: BuiltBundle, nowMonotonicMs: number): boolean {
    if (isBehind(bundle.head, this.#head)) return false;
    const isSame = bundle.head.manifestDigest === this.#head.manifestDigest;
    this.#head = bundle.head;
    this.#sealedHead = bundle.sealedHead;
    if (isSame) return true;
    this.#missing.clear();
    for (const former of this.#generations) {
      const untilMs = nowMonotonicMs + this.#limits.keepObjectsMs;
      former.untilMonotonicMs = Math.min(former.untilMonotonicMs, untilMs);
    }
    this.forget(nowMonotonicMs);
    this.#generations.unshift(generationOf(bundle));
    return true;
  }

  /** Signs the head anew by `seal`, the proof that nothing newer exists; no effect if that throws. */
  renew(nowMs: number, nowMonotonicMs: number, seal: (head: Head) => Uint8Array): void {
    // The clock may have gone back; a head's time does not (BUN-6).
    const issuedAtMs = Math.max(nowMs, this.#head.issuedAtMs + 1);
    const head = renewHead(this.#head, issuedAtMs, this.#limits.validForMs);
    this.#sealedHead = seal(head);
    this.#head = head;
    this.renewAtMonotonicMs = nowMonotonicMs + this.#limits.renewMs;
  }

  /** Returns the frame of an object that the slice names, or named lately, else null (BUN-37). */
  object(digest: string, nowMonotonicMs: number): Uint8Array | null {
    for (const { objects, untilMonotonicMs } of this.#generations) {
      const frame = untilMonotonicMs > nowMonotonicMs ? objects.get(digest) : undefined;
      if (frame !== undefined) return frame;
    }
    return null;
  }

  /**
   * Returns the objects that whoever holds `heldManifest` lacks, or none when they do not fit into an
   * event: those are fetched. An unknown manifest lacks everything.
   */
  missingFor(heldManifest: string): EventObjects {
    const known = this.#missing.get(heldManifest);
    if (known !== undefined) return known;
    const held = this.#generations.find(({ manifestDigest }) => manifestDigest === heldManifest);
    const [current] = this.#generations;
    const lacked = [...(current?.objects ?? [])].filter(([digest]) => !held?.objects.has(digest));
    const bytes = lacked.reduce((sum, [, frame]) => sum + frame.length + objectOverheadBytes, 0);
    const roomBytes = this.#limits.maxEventBytes - this.#sealedHead.length - eventOverheadBytes;
    const missing: EventObjects = bytes <= roomBytes ? lacked : [];
    // Made-up manifests must not fill the table: they all lack the same.
    if (held !== undefined) this.#missing.set(heldManifest, missing);
    return missing;
  }

  /** Lets go of what is no longer served. */
  forget(nowMonotonicMs: number): void {
    this.#generations = this.#generations.filter(
      ({ untilMonotonicMs }) => untilMonotonicMs > nowMonotonicMs,
    );
  }

  /** Frames held, each once. */
  get objectCount(): number {
    return new Set(this.#generations.flatMap(({ objects }) => [...objects.keys()])).size;
  }
}

function generationOf({ head, objects }: BuiltBundle): Generation {
  const { manifestDigest } = head;
  return { manifestDigest, objects, untilMonotonicMs: Number.POSITIVE_INFINITY };
}

/** Two builds may end out of order; the later one must not bring back the past. */
function isBehind(head: Head, current: Head): boolean {
  if (head.epoch !== current.epoch) return head.epoch < current.epoch;
  if (head.coveredRevision !== current.coveredRevision) {
    return head.coveredRevision < current.coveredRevision;
  }
  return head.issuedAtMs < current.issuedAtMs;
}
