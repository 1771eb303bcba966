import { isToken } from "./ascii.ts";
import { type CheckAttributes, mayBeRepeated } from "./attributes.ts";
import type { Denied } from "./denied.ts";
import type { RequestOptions } from "./options.ts";
import type { QueryParameters } from "./query-parameters.ts";
import { reject } from "./rejection.ts";

/** The headers by which frameworks let a client name another method, with their underscore twins. */
export const overrideHeaders: readonly string[] = Object.freeze([
  "x-http-method-override",
  "x-http-method",
  "x-method-override",
  "x_http_method_override",
  "x_http_method",
  "x_method_override",
]);

const overrideParameter = "_method";

/**
 * Returns the second method that has to be authorized, or null where there is none, or the refusal
 * `method-override`: with `deny` wherever an override is present, with `both` where the upstream's
 * choice cannot be foreseen (a repeated header, two different values, no token).
 *
 * The method is upper-cased, as the frameworks do it. Source: envoy-ext-authz 4.1.
 */
export function overrideMethod(
  attributes: CheckAttributes,
  query: QueryParameters,
  option: RequestOptions["methodOverride"],
): string | null | Denied {
  if (option === "ignore") return null;
  let method: string | null = null;
  for (const name of overrideHeaders) {
    const field = attributes.header(name);
    if (field === undefined) continue;
    if (option === "deny" || mayBeRepeated(attributes, field)) return reject("method-override");
    const value = field.value.trim().toUpperCase();
    if (!isToken(value) || (method !== null && value !== method)) return reject("method-override");
    method = value;
  }
  for (const parameter of query.valuesOf(overrideParameter)) {
    if (option === "deny") return reject("method-override");
    const value = parameter.trim().toUpperCase();
    if (!isToken(value) || (method !== null && value !== method)) return reject("method-override");
    method = value;
  }
  return method === attributes.method ? null : method;
}
