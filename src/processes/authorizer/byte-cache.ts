/** Bytes of a key that choose its place: of a token the signature, the part that differs most. */
const hashedBytes = 64;
/** Places that a key may be at; more keys of one hash only push each other out. */
const ways = 4;

export interface ByteCacheOptions {
  readonly capacity: number;
  /** Of the costs that `set` is told. */
  readonly maxBytes: number;
  /** Drawn once a process, so that nobody outside can aim at a place. */
  readonly seed: number;
}

interface Slot<V> {
  readonly place: number;
  readonly key: Buffer;
  readonly value: V;
  readonly cost: number;
  /** Found since it last came to the end of the queue. */
  isUsed: boolean;
}

/**
 * Values by bytes that lie somewhere in a message: found without making a text of them (performance
 * 2.4). The hash of the last 64 bytes only says where to look; a hit has every byte equal, by one native
 * comparison. Bounded by count and cost; who was not found again since its last turn leaves first.
 *
 * INVARIANT: `size` and `bytes` are the sums over what is stored, within bounds when a call returns.
 */
export class ByteCache<V> {
  /** By place, in the order of turns. */
  readonly #slots = new Map<number, Slot<V>>();
  readonly #options: ByteCacheOptions;
  #bytes = 0;

  constructor(options: ByteCacheOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#slots.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Returns the value of `bytes[start, end)`, undefined where it is not known. */
  get(bytes: Uint8Array, start: number, end: number): V | undefined {
    const slot = this.#find(bytes, start, end);
    if (slot === undefined) return undefined;
    slot.isUsed = true;
    return slot.value;
  }

  /** Keeps `value`, unless it alone costs more than all may. `key` is the cache's from then on. */
  set(key: Buffer, value: V, cost: number): void {
    if (cost > this.#options.maxBytes || this.#options.capacity < 1) return;
    const slot = { place: this.#placeFor(key), key, value, cost, isUsed: false };
    const former = this.#slots.get(slot.place);
    if (former !== undefined) this.#drop(former);
    this.#slots.set(slot.place, slot);
    this.#bytes += cost;
    this.#makeRoom(slot);
  }

  delete(bytes: Uint8Array, start: number, end: number): void {
    const slot = this.#find(bytes, start, end);
    if (slot !== undefined) this.#drop(slot);
  }

  #find(bytes: Uint8Array, start: number, end: number): Slot<V> | undefined {
    const first = hashOf(bytes, start, end, this.#options.seed);
    for (let way = 0; way < ways; way++) {
      const slot = this.#slots.get(first + way);
      // A gap that another one left makes a miss, never a wrong hit; the next `set` fills it.
      if (slot === undefined) return undefined;
      if (slot.key.length === end - start && slot.key.compare(bytes, start, end) === 0) return slot;
    }
    return undefined;
  }

  #placeFor(key: Buffer): number {
    const first = hashOf(key, 0, key.length, this.#options.seed);
    for (let way = 0; way < ways; way++) {
      const slot = this.#slots.get(first + way);
      if (slot === undefined || slot.key.equals(key)) return first + way;
    }
    return first + ways - 1;
  }

  #makeRoom(newest: Slot<V>): void {
    const { capacity, maxBytes } = this.#options;
    for (const slot of this.#slots.values()) {
      if (this.#slots.size <= capacity && this.#bytes <= maxBytes) return;
      if (slot === newest) continue;
      this.#drop(slot);
      if (!slot.isUsed) continue;
      // Its turn again, at the end of the queue; without another use it leaves then.
      slot.isUsed = false;
      this.#slots.set(slot.place, slot);
      this.#bytes += slot.cost;
    }
  }

  #drop(slot: Slot<V>): void {
    this.#slots.delete(slot.place);
    this.#bytes -= slot.cost;
  }
}

/** Returns a seeded hash of the last bytes and the length, 30 bits: murmur's mixing, a word at a time. */
function hashOf(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed ^ (end - start);
  let at = Math.max(start, end - hashedBytes);
  for (; at + 4 <= end; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    hash = Math.imul(hash ^ Math.imul(word, 0x5bd1e995), 0x01000193);
    hash ^= hash >>> 15;
  }
  for (; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 13), 0x85ebca6b);
  return (hash ^ (hash >>> 16)) & 0x3fff_ffff;
}
