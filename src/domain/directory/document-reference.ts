import { metadataMembers } from "./envelope.ts";
import type { DocumentKind } from "./kinds/kind.ts";
import { documentKinds } from "./kinds/registry.ts";
import type { JsonSchema, Member, Members } from "./shape/shape.ts";

/**
 * Returns the reference of documents as markdown: for each kind its summary and a table of its members,
 * nested ones by their path. Made from the tables that the reader reads by. No heading of the page.
 */
export function documentReference(): string {
  return documentKinds.map(kindReference).join("\n");
}

function kindReference(kind: DocumentKind): string {
  const metadata = metadataMembers(kind).map((name) => `\`${name}\``);
  const scope = kind.scope === "account" ? "Belongs to an account." : "Organization-wide.";
  return [
    `## ${kind.kind}`,
    "",
    kind.summary,
    "",
    `${scope} \`metadata\`: ${metadata.join(", ")}. The name: ${kind.name.expected}.`,
    "",
    "| member of `spec` | is | default | meaning |",
    "|---|---|---|---|",
    ...rows(kind.spec.members, ""),
    "",
  ].join("\n");
}

function rows(members: Members, prefix: string): readonly string[] {
  return Object.entries(members).flatMap(([name, member]) => {
    const path = prefix + name;
    const { shape, description } = member;
    const cells = [`\`${path}\``, shape.expected, defaultOf(member), description].map(cell);
    const line = `| ${cells.join(" | ")} |`;
    if (shape.members === null) return [line];
    return [line, ...rows(shape.members, path + stepOf(shape.schema))];
  });
}

// What leads from a member to its own members: of each item, of each free key, or its own.
function stepOf(schema: JsonSchema): string {
  if (schema.type === "array") return "[].";
  return schema.additionalProperties === false ? "." : ".*.";
}

function defaultOf({ required, fallback }: Member<unknown>): string {
  if (required) return "required";
  if (fallback === null || fallback === "") return "";
  if (Array.isArray(fallback)) {
    return fallback.length === 0 ? "" : fallback.map((item) => `\`${item}\``).join(", ");
  }
  return typeof fallback === "object" ? "" : `\`${fallback}\``;
}

// A pipe ends a cell, whatever stands around it.
function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
