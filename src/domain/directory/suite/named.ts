import { meant } from "../../../iam/nearest-word.ts";
import { quote } from "../../../iam/problem.ts";
import {
  entriesOf,
  type Fields,
  itemsOf,
  type Place,
  refuse,
  refuseValue,
} from "../../../iam/scenario-reader.ts";
import { nearest } from "../suggestion.ts";

/** Names end up in reports of several formats: one line, no control characters. */
const nameText = /^[^\p{Cc}\p{Cs}\u2028\u2029]{1,200}$/u;

export const nameWords = "a name on one line of at most 200 characters";

/** Returns whether `text` may name a test, a principal or a resource. */
export function isName(text: string): boolean {
  return nameText.test(text);
}

/** Returns what the field `name` names, each as a place; empty with a problem where there is nothing. */
export function readNamed(fields: Fields, name: string): ReadonlyMap<string, Place> {
  const place = fields.require(name);
  const entries = place === null ? [] : (entriesOf(place) ?? []);
  for (const [key, entry] of entries) {
    if (!isName(key))
      refuse(entry, "INVALID_VALUE", `expected a name on one line, got ${quote(key)}`);
  }
  return new Map(entries);
}

/** What a test chose by its name. */
export interface Chosen {
  readonly name: string;
  readonly place: Place;
}

/**
 * Returns what a test means by `place`, one name or a list of them; a name that is not known is a
 * problem that tells the nearest.
 */
export function readChosen(
  place: Place,
  what: string,
  known: ReadonlyMap<string, Place>,
): readonly Chosen[] {
  return readTexts(place, `the name of a ${what}`).flatMap((one) => {
    const found = known.get(one.text);
    if (found !== undefined) return [{ name: one.text, place: found }];
    const near = meant(nearest(one.text, [...known.keys()]));
    refuse(one.place, "UNKNOWN_REFERENCE", `unknown ${what} ${quote(one.text)}${near}`);
    return [];
  });
}

/** A text with its place. */
export interface PlacedText {
  readonly text: string;
  readonly place: Place;
}

/** Returns the text at `place`, or those of a list without repetitions. */
export function readTexts(place: Place, expected: string): readonly PlacedText[] {
  const items = place.value.type === "array" ? (itemsOf(place) ?? []) : [place];
  if (items.length === 0) refuse(place, "INVALID_VALUE", `expected ${expected}, got an empty list`);
  const seen = new Set<string>();
  return items.flatMap((item) => {
    if (item.value.type !== "string") {
      refuse(item, "INVALID_VALUE", `expected ${expected}`);
      return [];
    }
    const text = item.value.value;
    if (!isName(text)) refuseValue(item, `${expected}, on one line of at most 200 characters`);
    if (seen.has(text)) refuse(item, "DUPLICATE_VALUE", `${quote(text)} stands twice`);
    seen.add(text);
    return [{ text, place: item }];
  });
}
