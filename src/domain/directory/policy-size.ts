/** Returns the Unicode code points of `text` that are no JSON white space (iam-semantics 2.5). */
export function countWithoutWhiteSpace(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const white = unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;
    if (!white && !isLowSurrogate(unit)) count++;
  }
  return count;
}

/** Returns the Unicode code points of `text`. */
export function countCharacters(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) if (!isLowSurrogate(text.charCodeAt(i))) count++;
  return count;
}

// Loaded texts are well-formed, so each low surrogate ends a pair.
function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
