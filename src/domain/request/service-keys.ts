import { parseArn } from "../../iam/arn.ts";
import { foldAscii } from "../../iam/ascii.ts";
import { parseBool } from "../../iam/condition/bool.ts";
import { parseInstant } from "../../iam/condition/date.ts";
import { parseIpAddress } from "../../iam/condition/ip-address.ts";
import { parseDecimal } from "../../iam/condition/numeric.ts";
import type { ContextValue, KeyFault } from "../../iam/request-context.ts";
import type { CheckAttributes } from "./attributes.ts";
import { headerValue, isExposedHeader } from "./header-keys.ts";
import { pathVariable, type ResolvedRequest } from "./resolve.ts";
import type { ContextKeyDefinition } from "./service-definition.ts";

/**
 * Returns the value of a condition key that the service defines (FILE-26), undefined where its source
 * is absent, empty or not of the declared type (KEY-3), or a fault where it is ambiguous (KEY-8).
 *
 * A list keeps all its values as they came, since a Deny must be able to hit any of them. The values
 * of a multivalued header stand between commas, which the service then lists as comma-bearing. Several
 * query values for a single-valued key are ambiguous in the way of a repeated header.
 */
export function serviceKey(
  definition: ContextKeyDefinition,
  attributes: CheckAttributes,
  request: ResolvedRequest,
): ContextValue | KeyFault | undefined {
  const { source } = definition;
  switch (source.type) {
    case "header": {
      const name = foldAscii(source.name);
      if (!isExposedHeader(name)) return undefined;
      const value = headerValue(attributes, name, request.service.request);
      if (value === undefined || typeof value === "string") return value;
      const [text = ""] = value.values;
      return typed(definition, definition.multivalued ? listOf(text) : value.values);
    }
    case "query": {
      const { canonical } = request;
      if (canonical === null || canonical.type === "connect") return undefined;
      return typed(definition, canonical.query.valuesOf(foldAscii(source.name)));
    }
    case "path": {
      const value = pathVariable(request, source.variable);
      return value === undefined || value === "" ? undefined : typed(definition, [value]);
    }
  }
}

function listOf(text: string): readonly string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function typed(
  { multivalued, valueType }: ContextKeyDefinition,
  values: readonly string[],
): ContextValue | KeyFault | undefined {
  const [first] = values;
  if (first === undefined) return undefined;
  if (multivalued) return { multivalued, values };
  if (values.length > 1) return "ambiguous-header";
  return isOfType(first, valueType) ? { multivalued, values } : undefined;
}

function isOfType(text: string, valueType: ContextKeyDefinition["valueType"]): boolean {
  switch (valueType) {
    case "string":
      return true;
    case "number":
      return parseDecimal(text) !== null;
    case "bool":
      return parseBool(text) !== null;
    case "date":
      return parseInstant(text) !== null;
    case "ip":
      return parseIpAddress(text) !== null;
    case "arn":
      return parseArn(text).ok;
  }
}
