/** Texts that are remembered at a time, about. A power of two; 4 bytes each. */
const places = 16_384;

/**
 * Tells texts that came before, not long ago, from new ones: what is asked once and never again, like a
 * path with an order's number, then need not be kept (the doorkeeper of TinyLFU, Einziger et al. 2017).
 * One place a text, so a newer text forgets an older one; two texts of one print are taken for one, which
 * is no more than a bad guess. Fixed memory; a step a character.
 */
export class Doorkeeper {
  readonly #prints = new Uint32Array(places);

  /** Returns whether `text` came before; from now on it did. */
  knows(text: string): boolean {
    let hash = 0x811c9dc5;
    for (let at = 0; at < text.length; at++) {
      hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = (hash ^ (hash >>> 13)) >>> 0;
    const place = hash & (places - 1);
    if (this.#prints[place] === hash) return true;
    this.#prints[place] = hash;
    return false;
  }
}
