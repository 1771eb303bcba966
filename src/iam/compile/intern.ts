/** Returns the entry of `key`, made by `create` when it is first asked for. */
export function intern<T>(table: Map<string, T>, key: string, create: () => T): T {
  const known = table.get(key);
  if (known !== undefined) return known;
  const created = create();
  table.set(key, created);
  return created;
}
