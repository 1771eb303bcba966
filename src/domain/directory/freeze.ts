/**
 * Returns `value` with itself and every array and record in it frozen. Maps cannot be: they are typed as
 * read-only. INVARIANT: what is frozen already is so in depth. Linear; shared records are visited once.
 */
export function freezeDeep<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  if (value instanceof Map) {
    for (const item of value.values()) freezeDeep(item);
    return value;
  }
  for (const item of Object.values(value)) freezeDeep(item);
  return value;
}
