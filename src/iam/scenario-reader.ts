import { nearestWord } from "./nearest-word.ts";
import type { JsonObject, JsonValue } from "./policy/json.ts";
import { type Problem, quote } from "./problem.ts";

/**
 * Reading of JSON objects against a fixed list of fields: what is unknown, missing or of the wrong
 * type becomes a problem that names the field. Nothing is ever ignored.
 */

/** A place in the scenario: the value, its path for messages, and where problems go. */
export interface Place {
  readonly value: JsonValue;
  readonly path: string;
  readonly problems: Problem[];
}

/** Adds a problem at `place` and returns null, so that a reader can end with it. */
export function refuse(place: Place, code: string, message: string): null {
  const { problems, path, value } = place;
  problems.push({ code, severity: "ERROR", path, message, position: value.position });
  return null;
}

/** Adds an `INVALID_VALUE`: what was expected, and what stands there. Returns null. */
export function refuseValue(place: Place, expected: string): null {
  return refuse(place, "INVALID_VALUE", `expected ${expected}, got ${describe(place.value)}`);
}

function describe(value: JsonValue): string {
  switch (value.type) {
    case "string":
      return quote(value.value);
    case "number":
      return quote(value.text);
    case "boolean":
      return quote(String(value.value));
    case "null":
      return "`null`";
    case "array":
      return "a list";
    case "object":
      return "an object";
  }
}

/** The fields of one object, each read at most once by its name. */
export interface Fields {
  readonly place: Place & { readonly value: JsonObject };
  /** Returns the field's place, or null where it is absent. */
  get(name: string): Place | null;
  /** Returns the field's place; its absence is the problem `MISSING_FIELD`. */
  require(name: string): Place | null;
}

/**
 * Returns the fields of an object, or null with an `INVALID_VALUE`. A field outside `known` is an
 * `UNKNOWN_FIELD` that names the nearest known one.
 */
export function fieldsOf(place: Place, known: readonly string[]): Fields | null {
  const object = place.value;
  if (object.type !== "object") return refuseValue(place, "an object");
  const places = new Map(placesOf(place, object));
  for (const [name, field] of places) {
    if (known.includes(name)) continue;
    const near = nearestWord(name, known);
    const hint = near === null ? `one of ${known.map(quote).join(", ")}` : quote(near);
    refuse(field, "UNKNOWN_FIELD", `expected ${hint}, got ${quote(name)}`);
  }
  return {
    place: { ...place, value: object },
    get: (name) => places.get(name) ?? null,
    require: (name) =>
      places.get(name) ??
      refuse(place, "MISSING_FIELD", `expected the field ${quote(name)}, got none`),
  };
}

/** Returns the entries of an object whose keys are data, as places; null with a problem. */
export function entriesOf(place: Place): readonly (readonly [string, Place])[] | null {
  return place.value.type === "object"
    ? placesOf(place, place.value)
    : refuseValue(place, "an object");
}

function placesOf(place: Place, object: JsonObject): [string, Place][] {
  const prefix = place.path === "" ? "" : `${place.path}.`;
  return object.entries.map(({ key, value }) => [
    key,
    { value, path: prefix + key, problems: place.problems },
  ]);
}

/** Returns the items of a list as places; null with a problem. */
export function itemsOf(place: Place): readonly Place[] | null {
  const { value, path, problems } = place;
  if (value.type !== "array") return refuseValue(place, "a list");
  return value.items.map((item, index) => ({ value: item, path: `${path}[${index}]`, problems }));
}

/** Returns a text; null with a problem. */
export function textOf(place: Place): string | null {
  return place.value.type === "string" ? place.value.value : refuseValue(place, "a text");
}

/** Returns a text of `words`; null with a problem that lists them. */
export function wordOf<W extends string>(place: Place, words: readonly W[]): W | null {
  const { value } = place;
  const word = value.type === "string" ? words.find((w) => w === value.value) : undefined;
  return word ?? refuseValue(place, `one of ${words.map(quote).join(", ")}`);
}

/** Returns a truth value; null with a problem. */
export function booleanOf(place: Place): boolean | null {
  return place.value.type === "boolean" ? place.value.value : refuseValue(place, "true or false");
}

/** Returns a map of texts, such as tags; values that are no texts are problems. */
export function textsOf(place: Place | null): Map<string, string> {
  const texts = new Map<string, string>();
  for (const [key, entry] of place === null ? [] : (entriesOf(place) ?? [])) {
    const text = textOf(entry);
    if (text !== null) texts.set(key, text);
  }
  return texts;
}

/** Returns whether the place holds `null`. */
export function isNull(place: Place): boolean {
  return place.value.type === "null";
}
