/**
 * A first-in-first-out queue with room for `maxItems` and `maxBytes`, whichever is reached first.
 * When full the oldest make room: what happens now says more than what happened then. `push` writes
 * two slots and allocates nothing.
 */
export class Ring<T> {
  readonly #items: (T | undefined)[];
  readonly #sizes: Float64Array;
  readonly #maxBytes: number;
  readonly #onDrop: (item: T) => void;
  #first = 0;
  #length = 0;
  #bytes = 0;

  constructor(maxItems: number, maxBytes: number, onDrop: (item: T) => void) {
    this.#items = new Array<T | undefined>(maxItems).fill(undefined);
    this.#sizes = new Float64Array(maxItems);
    this.#maxBytes = maxBytes;
    this.#onDrop = onDrop;
  }

  get length(): number {
    return this.#length;
  }

  /** Adds `item`. One that is above `maxBytes` by itself is kept alone. */
  push(item: T, bytes: number): void {
    while (
      this.#length > 0 &&
      (this.#length === this.#items.length || this.#bytes + bytes > this.#maxBytes)
    ) {
      this.#onDrop(this.shift() as T);
    }
    const at = (this.#first + this.#length) % this.#items.length;
    this.#items[at] = item;
    this.#sizes[at] = bytes;
    this.#length++;
    this.#bytes += bytes;
  }

  /** Removes and returns the oldest item, undefined when there is none. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#items[this.#first];
    this.#items[this.#first] = undefined;
    this.#bytes -= this.#sizes[this.#first] as number;
    this.#first = (this.#first + 1) % this.#items.length;
    this.#length--;
    return item;
  }
}
