const upperCase = /[A-Z]/;
const upperCases = /[A-Z]/g;

/**
 * Returns `text` with A-Z lower-cased and every other character as it is: the one case folding of
 * the language (ACT-1, CON-2, KEY-6). The Kelvin sign, which `toLowerCase` turns into `k`, stays.
 */
export function foldAscii(text: string): string {
  return upperCase.test(text)
    ? text.replace(upperCases, (letter) => String.fromCharCode(letter.charCodeAt(0) + 32))
    : text;
}
