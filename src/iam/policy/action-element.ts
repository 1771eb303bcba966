import { foldAscii } from "../ascii.ts";
import { createGlob, createWork, matchGlob, parseGlob } from "../glob.ts";
import { quote } from "../problem.ts";
import type { DocumentType } from "./policy-type.ts";
import { find, type Place, type Report, refuse } from "./report.ts";
import { hasVariable } from "./variables.ts";

/** Services whose actions no RCP may name: it could lock the control plane out (TYPE-1). */
export const servicesWithoutResourceControl: readonly string[] = [
  "iam",
  "organizations",
  "mesh-iam",
];

/**
 * Reports what is wrong with one entry of `Action` or `NotAction`: `*` alone or `service:Name`
 * (ACT-6), no variables (VAR-2), in an RCP only services it may name.
 */
export function checkAction(report: Report, place: Place, text: string, type: DocumentType): void {
  if (hasVariable(text)) {
    const message = "expected no variable in an action";
    refuse(report, place, "VARIABLE_UNSUPPORTED_IN_ELEMENT", message);
    return;
  }
  if (text === "*") {
    if (type === "resourceControl") {
      const message = "expected actions of named services, got `*`";
      refuse(report, place, "RCP_SYNTAX_ERROR_ACTION_WILDCARD", message);
    }
    return;
  }
  const colon = text.indexOf(":");
  if (colon <= 0 || colon === text.length - 1) {
    const message = `expected \`*\` or an action of the form service:Name, got ${quote(text)}`;
    refuse(report, place, "INVALID_ACTION", message);
    return;
  }
  const service = foldAscii(text.slice(0, colon));
  if (/[*?]/.test(service)) {
    const message = `a wildcard in the service matches services nobody thought of: ${quote(text)}`;
    find(report, "SUGGESTION", place, "WILDCARD_IN_SERVICE_NAME", message);
  }
  if (type === "resourceControl" && namesUncontrolled(service)) {
    const without = servicesWithoutResourceControl.join(", ");
    const message = `expected no action of ${without}, got ${quote(text)}`;
    refuse(report, place, "RCP_SYNTAX_ERROR_UNSUPPORTED_SERVICE", message);
  }
  if (type === "trust" && service !== "sts") {
    const message = `expected actions of sts in a role trust policy, got ${quote(text)}`;
    find(report, "ERROR", place, "UNSUPPORTED_ACTION_IN_POLICY", message);
  }
}

function namesUncontrolled(service: string): boolean {
  const glob = createGlob(parseGlob(service));
  return servicesWithoutResourceControl.some((name) => matchGlob(glob, name, createWork()));
}
