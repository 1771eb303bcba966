import { foldAscii } from "./ascii.ts";
import { lookUpKey } from "./context-keys.ts";
import type { JsonValue } from "./policy/json.ts";
import type { ContextValue, KeyFault } from "./request-context.ts";
import {
  entriesOf,
  isNull,
  itemsOf,
  type Place,
  refuse,
  refuseValue,
  wordOf,
} from "./scenario-reader.ts";

/**
 * Writes the `context` of a scenario over `keys`: a text, number or truth value, a list of them, or
 * null, which removes the key. A declared arity wins over the JSON shape (KEY-1): a scalar for a
 * multivalued key becomes a list of one, a list of one for a single-valued key its element; any other
 * list there is a problem. Of an undeclared key the shape decides.
 */
export function applyContext(place: Place | null, keys: Map<string, ContextValue>): void {
  const seen = new Set<string>();
  for (const [key, entry] of place === null ? [] : (entriesOf(place) ?? [])) {
    const keyLower = foldAscii(key);
    if (seen.has(keyLower)) refuse(entry, "DUPLICATE_KEY", "expected each key once in any case");
    seen.add(keyLower);
    if (isNull(entry)) {
      keys.delete(keyLower);
      continue;
    }
    const value = readContextValue(entry, keyLower);
    if (value !== null) keys.set(keyLower, value);
  }
}

function readContextValue(place: Place, keyLower: string): ContextValue | null {
  const isList = place.value.type === "array";
  const items = isList ? itemsOf(place) : [place];
  const texts = (items ?? []).map((item) => scalarText(item.value) ?? refuseScalar(item));
  const values = texts.filter((text) => text !== null);
  if (values.length < texts.length) return null;
  const declared = lookUpKey(keyLower)?.arity ?? "configured";
  const multivalued = declared === "configured" ? isList : declared === "multi";
  if (!multivalued && values.length !== 1) {
    return refuseValue(place, "one value for this single-valued key");
  }
  return { multivalued, values };
}

function refuseScalar(place: Place): null {
  return refuseValue(place, "a text, a number or a truth value");
}

/** Numbers are taken by their source text (DOC-12). */
function scalarText(value: JsonValue): string | null {
  switch (value.type) {
    case "string":
      return value.value;
    case "number":
      return value.text;
    case "boolean":
      return String(value.value);
    default:
      return null;
  }
}

/** Returns the faulty keys by lower-cased name; null for none. */
export function readFaults(place: Place | null): Map<string, KeyFault> | null {
  const faults = new Map<string, KeyFault>();
  for (const [key, entry] of place === null ? [] : (entriesOf(place) ?? [])) {
    const fault = wordOf<KeyFault>(entry, ["evaluation-error", "ambiguous-header"]);
    if (fault !== null) faults.set(foldAscii(key), fault);
  }
  return faults.size === 0 ? null : faults;
}
