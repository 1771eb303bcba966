import { unreadableHeaders } from "../../iam/context-keys.ts";
import type { ContextValue, KeyFault } from "../../iam/request-context.ts";
import { type CheckAttributes, mayBeRepeated } from "./attributes.ts";
import { isIdentityHeader } from "./identity-headers.ts";
import type { RequestOptions } from "./options.ts";

/**
 * Returns whether a condition key may read the header `name` (lower-case): credentials, pseudo-headers
 * and headers of the identity family are never exposed.
 */
export function isExposedHeader(name: string): boolean {
  if (name === "" || name.startsWith(":")) return false;
  return !unreadableHeaders.has(name.replaceAll("_", "-")) && !isIdentityHeader(name);
}

/**
 * Returns the value of the request header `name` (lower-case) for a condition key: undefined where it
 * is absent or empty, the fault `ambiguous-header` where the application could read another value than
 * we do (KEY-8): a repetition, unless the service lists the header as comma-bearing; another spelling of the name
 * beside or instead of it; a NUL or line break inside.
 */
export function headerValue(
  attributes: CheckAttributes,
  name: string,
  options: RequestOptions,
): ContextValue | KeyFault | undefined {
  if (hasOtherSpelling(attributes, name)) return "ambiguous-header";
  const field = attributes.header(name);
  if (field === undefined) return undefined;
  if (mayBeRepeated(attributes, field) && !options.commaHeaders.includes(name)) {
    return "ambiguous-header";
  }
  if (hasForbiddenByte(field.value)) return "ambiguous-header";
  return field.value === "" ? undefined : { multivalued: false, values: [field.value] };
}

/** Names with this many hyphens or fewer are looked for in every mixture of spellings: seven more. */
const maxMixedHyphens = 3;

/**
 * Returns the other spellings of `name`, `_` for `-`, that an upstream of CGI's family reads as the
 * same header: all mixtures of a short name, the two pure ones of a long one.
 */
export function otherSpellings(name: string): readonly string[] {
  let spellings = spellingsByName.get(name);
  if (spellings === undefined) {
    spellings = Object.freeze(findSpellings(name));
    // Names come from policies, not from requests; they change with the policies for years.
    if (spellingsByName.size >= maxRememberedNames) spellingsByName.clear();
    spellingsByName.set(name, spellings);
  }
  return spellings;
}

const maxRememberedNames = 1024;
const spellingsByName = new Map<string, readonly string[]>();

function findSpellings(name: string): readonly string[] {
  const parts = name.split(/[-_]/);
  const marks = parts.length - 1;
  const spellings: string[] = [];
  if (marks > maxMixedHyphens) {
    spellings.push(parts.join("-"), parts.join("_"));
  } else {
    for (let choice = 0; choice < 1 << marks; choice++) {
      let spelling = parts[0] ?? "";
      for (let i = 0; i < marks; i++) spelling += ((choice >> i) & 1 ? "_" : "-") + parts[i + 1];
      spellings.push(spelling);
    }
  }
  return spellings.filter((spelling) => spelling !== name);
}

function hasOtherSpelling(attributes: CheckAttributes, name: string): boolean {
  if (!name.includes("-") && !name.includes("_")) return false;
  for (const spelling of otherSpellings(name)) {
    if (attributes.header(spelling) !== undefined) return true;
  }
  return false;
}

function hasForbiddenByte(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c === 0 || c === 0x0a || c === 0x0d) return true;
  }
  return false;
}
