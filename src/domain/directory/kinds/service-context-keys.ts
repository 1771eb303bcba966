import { unreadableHeaders } from "../../../iam/context-keys.ts";
import { quote } from "../../../iam/problem.ts";
import { isIdentityHeader, normaliseHeaderName } from "../../request/identity-headers.ts";
import type { ContextKeyDefinition } from "../../request/service-definition.ts";
import { compareText } from "../compare-text.ts";
import { type Entry, mapOf } from "../shape/collections.ts";
import { headerName } from "../shape/names.ts";
import { record } from "../shape/record.ts";
import { flag, type Placed, placed, text, word } from "../shape/scalars.ts";
import { optional, type ValueOf } from "../shape/shape.ts";
import type { World } from "./world.ts";

const source = record(
  {
    header: optional(placed(headerName), null, "The header whose value it is."),
    query: optional(
      text("the name of a query parameter", /^[^\p{Cc}]+$/u, 256),
      null,
      "The query parameter whose values it has.",
    ),
    path: optional(
      placed(text("the name of a template variable", /^[A-Za-z_]\w*$/, 64)),
      null,
      "The variable of the route's template whose value it is.",
    ),
    type: optional(
      word("string", "number", "bool", "date", "ip", "arn"),
      "string",
      "Which condition operators fit.",
    ),
    multivalued: optional(flag(), false, "Whether it may have several values."),
  },
  { exactlyOne: ["header", "query", "path"] },
);

/** The shape of `contextKeys`; the values of headers and queries are the client's word (FILE-26). */
export const contextKeys = mapOf(
  "a condition key like `orders:Channel`",
  /^[a-z][a-z0-9-]*:[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$/,
  placed(source),
  100,
);

type SourceSpec = ValueOf<typeof source.members>;

/** Returns the keys as they are stored, in the order of their names. */
export function resolveContextKeys(
  world: World,
  service: string,
  keys: readonly Entry<Placed<SourceSpec>>[],
  routes: readonly Placed<{ readonly http: string | null }>[],
): readonly ContextKeyDefinition[] {
  const templates = routes.map(({ value }) => value.http ?? "").join("\n");
  const made = keys.map(({ key, value: { value: spec, place } }) => {
    if (!key.startsWith(`${service}:`)) {
      const expected = `expected a key with the service's prefix ${quote(`${service}:`)}`;
      world.refuse(place, "INVALID_VALUE", `${expected}, got ${quote(key)}`);
    }
    checkHeader(world, spec.header);
    checkVariable(world, spec.path, templates);
    return { key, source: sourceOf(spec), valueType: spec.type, multivalued: spec.multivalued };
  });
  return made.sort((a, b) => compareText(a.key, b.key));
}

function checkHeader(world: World, header: Placed<string> | null): void {
  if (header === null) return;
  const { value, place } = header;
  if (unreadableHeaders.has(normaliseHeaderName(value))) {
    const message = `the header ${quote(value)} holds a credential and is never shown to policies`;
    world.refuse(place, "RESERVED_NAME", message);
  } else if (isIdentityHeader(value)) {
    const message = "headers that begin with `x-mesh-iam-` are removed from requests";
    world.refuse(place, "RESERVED_NAME", message);
  }
}

function checkVariable(world: World, variable: Placed<string> | null, templates: string): void {
  if (variable === null) return;
  const { value, place } = variable;
  if (templates.includes(`{${value}}`) || templates.includes(`{${value}=**}`)) return;
  world.refuse(place, "UNKNOWN_REFERENCE", `no route's template has the variable ${quote(value)}`);
}

function sourceOf({ header, query, path }: SourceSpec): ContextKeyDefinition["source"] {
  if (header !== null) return { type: "header", name: header.value };
  if (query !== null) return { type: "query", name: query };
  return { type: "path", variable: path?.value ?? "" };
}

/** Returns the keys as they are written. */
export function writeContextKeys(
  keys: readonly ContextKeyDefinition[],
): ReadonlyMap<string, unknown> {
  return new Map(
    keys.map(({ key, source: from, valueType, multivalued }) => [
      key,
      {
        [from.type]: from.type === "path" ? from.variable : from.name,
        type: valueType === "string" ? undefined : valueType,
        multivalued: multivalued ? true : undefined,
      },
    ]),
  );
}
