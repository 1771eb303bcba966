import { quote } from "../problem.ts";
import { isShortArnPattern, splitArnPattern } from "./arn-pattern.ts";
import type { PolicyDocument } from "./document.ts";
import type { DocumentType } from "./policy-type.ts";
import { find, type Place, type Report, refuse } from "./report.ts";
import { hasVariable, parseTemplate } from "./variables.ts";

/**
 * Reports what is wrong with one entry of `Resource` or `NotResource`: `*` alone or an ARN pattern
 * of six fields (RES-5 to RES-8), variables in the account and resource fields only (VAR-2).
 */
export function checkResource(
  report: Report,
  place: Place,
  text: string,
  type: DocumentType,
  version: PolicyDocument["version"],
): void {
  if (text === "*") return;
  const variables = version === "2012-10-17";
  if (hasVariable(text)) {
    if (!variables) {
      find(
        report,
        "ERROR",
        place,
        "VARIABLE_UNSUPPORTED_IN_VERSION",
        "variables need version 2012-10-17; the text is taken literally",
      );
    } else {
      const parts = parseTemplate(text);
      if (!parts.ok) {
        refuse(report, place, parts.code, parts.message);
        return;
      }
    }
  }
  const fields = splitArnPattern(text, variables);
  if (fields[0] !== "arn") {
    const message = `expected \`*\` or an ARN that begins with \`arn:\`, got ${quote(text)}`;
    refuse(report, place, "INVALID_ARN_PREFIX", message);
    return;
  }
  const isShort = isShortArnPattern(fields) && type !== "resourceControl";
  if (fields.length < 6 && !isShort) {
    const expected = "six fields, arn:partition:service:region:account:resource";
    refuse(report, place, "MISSING_ARN_FIELD", `expected ${expected}, got ${quote(text)}`);
    return;
  }
  checkFields(report, place, fields, variables);
}

function checkFields(
  report: Report,
  place: Place,
  fields: readonly string[],
  variables: boolean,
): void {
  const [, partition = "*", service = "*", region = "*", account = "*", resource = "*"] = fields;
  if (variables && [partition, service, region].some(hasVariable)) {
    const message = "expected variables in the account and resource fields only";
    refuse(report, place, "VARIABLE_UNSUPPORTED_IN_ELEMENT", message);
  }
  if (partition === "") {
    refuse(report, place, "INVALID_ARN_PARTITION", "expected a partition, got none");
  }
  checkService(report, place, service, fields.length < 4);
  if (variables && hasVariable(account)) {
    const message = "a variable in the account field lets its value choose the account";
    find(report, "WARNING", place, "VARIABLE_IN_ARN_ACCOUNT", message);
  }
  if (resource === "") {
    refuse(report, place, "INVALID_ARN_RESOURCE", "expected a resource, got none");
  }
  if (hasWildcardType(resource)) {
    const message = `a wildcard in the resource type is matched as a plain pattern: ${quote(resource)}`;
    find(report, "WARNING", place, "WILDCARD_IN_RESOURCE_TYPE", message);
  }
}

// RES-6, RES-7. The service of `arn:aws:*` is the last field and stands for the rest.
function checkService(report: Report, place: Place, service: string, isLast: boolean): void {
  if (isLast || hasVariable(service)) return;
  if (service === "") {
    refuse(report, place, "INVALID_ARN_SERVICE", "expected a service, got none");
  } else if (/[*?]/.test(service)) {
    const message = `expected a service without wildcards, got ${quote(service)}`;
    refuse(report, place, "INVALID_ARN_SERVICE", message);
  } else if (/[A-Z]/.test(service)) {
    const message = `expected a service in lower case, got ${quote(service)}`;
    refuse(report, place, "INVALID_ARN_SERVICE_CASE", message);
  }
}

// RES-8: the part before the first slash or colon, unless the whole resource is `*`.
function hasWildcardType(resource: string): boolean {
  if (resource === "*") return false;
  const end = resource.search(/[/:]/);
  const type = end < 0 ? resource : resource.slice(0, end);
  return /[*?]/.test(type.replaceAll(/\$\{[*?$]\}/g, ""));
}
