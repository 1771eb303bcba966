/** Returns the values of an option that may be repeated: `previous` and one more. */
export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}
