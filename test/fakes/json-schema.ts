/** JSON Schema as the editor schemas use it, and changes of values to try it with. */

export type Schema = Readonly<Record<string, unknown>>;

/**
 * Whether `value` fits `schema`: the keywords that the schemas of this repository use, and no others (an
 * unknown one throws). References lead into `$defs` of `root`.
 */
export function fits(value: unknown, schema: Schema, root: Schema = schema): boolean {
  return Object.entries(schema).every(
    ([keyword, rule]) => keywords[keyword]?.(value, rule, schema, root) ?? unknown(keyword),
  );
}

function unknown(keyword: string): never {
  throw new Error(`the schema uses the keyword ${keyword}, which this test does not know`);
}

type Keyword = (value: unknown, rule: unknown, given: Schema, root: Schema) => boolean;

export const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const types: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isMap,
  array: Array.isArray,
  null: (value) => value === null,
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: Number.isInteger,
  boolean: (value) => typeof value === "boolean",
};
const list = (rule: unknown) => rule as readonly Schema[];
const keywords: Readonly<Record<string, Keyword>> = {
  $schema: () => true,
  $defs: () => true,
  title: () => true,
  description: () => true,
  $ref: (value, rule, _given, root) => fits(value, definition(root, String(rule)), root),
  type: (value, rule) => [rule].flat().some((type) => types[String(type)]?.(value)),
  const: (value, rule) => value === rule,
  enum: (value, rule) => (rule as unknown[]).includes(value),
  anyOf: (value, rule, _given, root) => list(rule).some((one) => fits(value, one, root)),
  not: (value, rule, _given, root) => !fits(value, rule as Schema, root),
  oneOf: (value, rule, _given, root) =>
    list(rule).filter((one) => fits(value, one, root)).length === 1,
  required: (value, rule) =>
    !isMap(value) || (rule as string[]).every((name) => Object.hasOwn(value, name)),
  properties: (value, rule, _given, root) =>
    !isMap(value) ||
    Object.entries(rule as Record<string, Schema>).every(
      ([name, one]) => !Object.hasOwn(value, name) || fits(value[name], one, root),
    ),
  additionalProperties: (value, rule, given, root) => {
    if (!isMap(value)) return true;
    const others = Object.keys(value).filter(
      (name) => !Object.hasOwn((given.properties ?? {}) as object, name),
    );
    return rule === false
      ? others.length === 0
      : others.every((name) => fits(value[name], rule as Schema, root));
  },
  propertyNames: (value, rule, _given, root) =>
    !isMap(value) || Object.keys(value).every((name) => fits(name, rule as Schema, root)),
  maxProperties: (value, rule) => !isMap(value) || Object.keys(value).length <= Number(rule),
  items: (value, rule, _given, root) =>
    !Array.isArray(value) || value.every((item) => fits(item, rule as Schema, root)),
  minItems: (value, rule) => !Array.isArray(value) || value.length >= Number(rule),
  maxItems: (value, rule) => !Array.isArray(value) || value.length <= Number(rule),
  uniqueItems: (value) =>
    !Array.isArray(value) ||
    new Set(value.map((item) => JSON.stringify(item))).size === value.length,
  // Editors read patterns with the flag u (JSON Schema core, 6.4).
  pattern: (value, rule) => typeof value !== "string" || new RegExp(String(rule), "u").test(value),
  maxLength: (value, rule) => typeof value !== "string" || value.length <= Number(rule),
  minimum: (value, rule) => typeof value !== "number" || value >= Number(rule),
  maximum: (value, rule) => typeof value !== "number" || value <= Number(rule),
};

function definition(root: Schema, reference: string): Schema {
  const definitions = root.$defs as Readonly<Record<string, Schema>> | undefined;
  return definitions?.[reference.slice("#/$defs/".length)] ?? unknown(reference);
}

const odd: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  3600,
  "",
  "x",
  "active",
  "/",
  "*",
  [],
  {},
  [""],
  ["x", "x"],
  { a: 1 },
  { claim: "x" },
];

/** Returns `value` with one thing in it changed, found by the steps. */
export function mutate(value: unknown, steps: readonly number[], change: number): unknown {
  const [step = 0, ...rest] = steps;
  const replaced = odd[change % odd.length];
  if (Array.isArray(value)) {
    if (value.length === 0 || rest.length === 0)
      return change % 2 === 0 ? replaced : [...value, replaced];
    const at = step % value.length;
    return value.map((item, i) => (i === at ? mutate(item, rest, change) : item));
  }
  if (!isMap(value)) return replaced;
  const names = Object.keys(value);
  const name = names[step % Math.max(names.length, 1)] ?? "none";
  if (rest.length > 0 && names.length > 0)
    return { ...value, [name]: mutate(value[name], rest, change) };
  if (change % 3 === 0)
    return Object.fromEntries(Object.entries(value).filter(([other]) => other !== name));
  return change % 3 === 1 ? { ...value, extra: replaced } : { ...value, [name]: replaced };
}
