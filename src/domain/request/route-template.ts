import { foldAscii } from "../../iam/ascii.ts";
import { type Parsed, quote } from "../../iam/problem.ts";
import type { RequestOptions } from "./options.ts";
import { hasTriplet } from "./percent-decoding.ts";

/**
 * The path template of a route:
 *
 *     template = "/" [ segment *( "/" segment ) [ "/" ] ]
 *     segment  = literal | "{" name "}" | "{" name "=**}"        ; the last only at the end
 *     name     = ( ALPHA | "_" ) *( ALPHA | DIGIT | "_" )
 *
 * A literal is the text of one **decoded** segment and stands for itself alone. `{name}` is exactly one
 * segment, never empty. `{name=**}` is the rest: whatever follows the slash before it, slashes and a
 * trailing slash included, possibly nothing (`/files/{path=**}` takes `/files/`, not `/files`).
 * A trailing slash belongs to the template; under `trailingSlash: ignore` it does not count.
 *
 * What no accepted path can hold is refused, so that no route is dead without anybody noticing.
 */
export interface RouteTemplate {
  readonly segments: readonly TemplateSegment[];
  readonly trailingSlash: boolean;
  /** Names of the variables in the order in which they take values. */
  readonly variables: readonly string[];
}

export type TemplateSegment =
  | { readonly type: "literal"; readonly text: string }
  | { readonly type: "variable" }
  | { readonly type: "rest" };

const variableSegment = /^\{([A-Za-z_]\w*)(=\*\*)?\}$/;
const maxTemplateCharacters = 4096;

/**
 * Returns the template that `text` spells under the service's options, or the refusal
 * `template-syntax`. The literals of a service that ignores case come out in lower case.
 */
export function parseRouteTemplate(text: string, options: RequestOptions): Parsed<RouteTemplate> {
  if (!text.startsWith("/") || text.length > maxTemplateCharacters) {
    return refuse(`expected a template that begins with \`/\`, got ${quote(text)}`);
  }
  const parts = text.slice(1).split("/");
  const trailing = parts.length > 1 && parts.at(-1) === "";
  if (trailing || text === "/") parts.pop();
  if (parts.length + (trailing ? 1 : 0) > options.maxSegments) {
    return refuse(`expected at most ${options.maxSegments} segments, got ${parts.length}`);
  }
  const segments: TemplateSegment[] = [];
  const variables: string[] = [];
  for (const [i, part] of parts.entries()) {
    const match = variableSegment.exec(part);
    if (match === null) {
      const problem = literalProblem(part, options);
      if (problem !== null) return refuse(`${problem}, got ${quote(part)} in ${quote(text)}`);
      segments.push({ type: "literal", text: options.caseInsensitive ? foldAscii(part) : part });
      continue;
    }
    const [, name = "", rest] = match;
    if (variables.includes(name)) return refuse(`the variable ${quote(name)} stands twice`);
    variables.push(name);
    if (rest === undefined) segments.push({ type: "variable" });
    else if (i < parts.length - 1 || trailing) {
      return refuse(`expected ${quote(part)} at the end of the template, got ${quote(text)}`);
    } else segments.push({ type: "rest" });
  }
  const trailingSlash = trailing && options.trailingSlash === "distinct";
  return { ok: true, value: { segments, trailingSlash, variables } };
}

/** Returns what is wrong with a literal segment, or null: only what a canonical path can hold. */
function literalProblem(text: string, options: RequestOptions): string | null {
  if (text === "") return "expected no empty segment";
  if (text === "." || text === "..") return "expected no dot segment";
  if (/[*?]/.test(text)) return "expected no `*` or `?`";
  if (/[{}]/.test(text)) return "expected a whole segment as `{name}` or `{name=**}`";
  if (/[\p{Cc}\p{Cs}\\]/u.test(text)) return "expected no control character or backslash";
  if (text.includes(";") && options.parameters !== "literal") {
    return "expected no `;` unless `parameters` is `literal`";
  }
  const data = options.encodedSlash === "literal" ? text.replaceAll("%2F", "/") : text;
  if (hasTriplet(data)) return "expected the decoded text of a segment";
  return null;
}

/** A resource name with places for variables: `texts[0] value texts[1] value … texts[n]`. */
export interface ResourceTemplate {
  readonly texts: readonly string[];
  /** Indexes into the values of the route, one fewer than texts. */
  readonly places: readonly number[];
}

/**
 * Returns the resource template that `text` spells over the variables of its route, or the refusal
 * `resource-syntax`: an unknown variable, a lone brace, `*` or `?` (a resource name is never read as a
 * pattern), `${` (the policy language's), a control character, nothing at all.
 */
export function parseResourceTemplate(
  text: string,
  variables: readonly string[],
): Parsed<ResourceTemplate> {
  const bad = (message: string): Parsed<ResourceTemplate> => refuse(message, "resource-syntax");
  if (text === "") return bad("expected a resource such as `order/{orderId}`, got nothing");
  if (/[*?]/.test(text)) return bad(`expected no \`*\` or \`?\`, got ${quote(text)}`);
  if (/[\p{Cc}\p{Cs}]/u.test(text)) return bad(`expected no control character, got ${quote(text)}`);
  const texts: string[] = [];
  const places: number[] = [];
  let from = 0;
  for (let open = text.indexOf("{"); open >= 0; open = text.indexOf("{", from)) {
    if (text.charAt(open - 1) === "$") {
      return bad(`expected a variable as \`{name}\` without \`$\`, got ${quote(text)}`);
    }
    const close = text.indexOf("}", open);
    const name = text.slice(open + 1, close < 0 ? undefined : close);
    const place = close < 0 ? -1 : variables.indexOf(name);
    if (place < 0) return bad(`expected a variable of the route's template, got ${quote(name)}`);
    texts.push(text.slice(from, open));
    places.push(place);
    from = close + 1;
  }
  texts.push(text.slice(from));
  if (texts.some((part) => part.includes("}")))
    return bad(`expected no lone brace, got ${quote(text)}`);
  return { ok: true, value: { texts, places } };
}

/** Returns the resource name with `values` put in as they are: data, never read again. */
export function fillResource(template: ResourceTemplate, values: readonly string[]): string {
  const { texts, places } = template;
  let name = texts[0] ?? "";
  for (let i = 0; i < places.length; i++) {
    // INVARIANT: places index the values of the route that the template was parsed for.
    name += (values[places[i] as number] as string) + (texts[i + 1] as string);
  }
  return name;
}

function refuse(message: string, code = "template-syntax") {
  return { ok: false, code, message } as const;
}
