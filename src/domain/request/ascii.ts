/** Returns the value of a hexadecimal digit, or -1. */
export function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const folded = code | 0x20;
  return folded >= 0x61 && folded <= 0x66 ? folded - 0x57 : -1;
}

const tokenCharacters = new Uint8Array(128);
for (const c of "!#$%&'*+-.^_`|~0123456789") tokenCharacters[c.charCodeAt(0)] = 1;
for (let c = 0x41; c <= 0x5a; c++) tokenCharacters[c] = tokenCharacters[c | 0x20] = 1;

/** Returns whether `text` is a token of RFC 9110, 5.6.2: not empty, visible ASCII, no delimiter. */
export function isToken(text: string): boolean {
  if (text === "") return false;
  for (let i = 0; i < text.length; i++) {
    if (tokenCharacters[text.charCodeAt(i)] !== 1) return false;
  }
  return true;
}
