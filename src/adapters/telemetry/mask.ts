import { createHmac } from "node:crypto";

/** Fields that tell the caller and the resource once more: hidden together with these. */
const retellings = ["errorMessage", "shadow.errorMessage", "input"];

export interface MaskOptions {
  /** Paths of fields that are written as a salted hash. */
  readonly mask: readonly string[];
  /** Paths of fields that are left out. */
  readonly erase: readonly string[];
  readonly salt: Uint8Array;
}

/**
 * Returns a function that masks and erases fields of a record in place and lists in `masked` and
 * `erased` the paths that were there. A path walks through lists: `resources.ARN` is each one's.
 *
 * The hash is HMAC-SHA-256 under the salt, cut to 128 bits: equal values stay comparable, and
 * nobody without the salt can try out guesses.
 */
export function createMask(options: MaskOptions): (record: Record<string, unknown>) => void {
  const hash = (value: unknown): string => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const digest = createHmac("sha256", options.salt).update(text).digest("hex");
    return `hmac-sha256:${digest.slice(0, 32)}`;
  };
  const named = [...options.erase, ...options.mask];
  const repeats = named.some((path) => /^(userIdentity|resources)(\.|$)/.test(path));
  const erase = [...new Set([...options.erase, ...(repeats ? retellings : [])])].map((path) =>
    path.split("."),
  );
  const mask = options.mask.map((path) => path.split("."));

  return (record) => {
    const erased = erase.filter((path) => change(record, path, () => undefined));
    const masked = mask.filter((path) => change(record, path, hash));
    if (erased.length > 0) record.erased = erased.map((path) => path.join("."));
    if (masked.length > 0) record.masked = masked.map((path) => path.join("."));
  };
}

/** Replaces what stands at `path`; true when something was there. Undefined removes the field. */
function change(
  value: unknown,
  path: readonly string[],
  replace: (value: unknown) => unknown,
): boolean {
  const [name, ...rest] = path;
  if (typeof value !== "object" || value === null || name === undefined) return false;
  if (Array.isArray(value)) {
    // Not `some`: every element is to be changed.
    return value.map((item) => change(item, path, replace)).includes(true);
  }
  const record = value as Record<string, unknown>;
  if (!Object.hasOwn(record, name) || record[name] === undefined) return false;
  if (rest.length > 0) return change(record[name], rest, replace);
  const replacement = replace(record[name]);
  if (replacement === undefined) delete record[name];
  else record[name] = replacement;
  return true;
}
