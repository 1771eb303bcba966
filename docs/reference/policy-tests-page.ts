import { suiteSchema } from "../../src/domain/directory/suite/suite-schema.ts";
import { code, page, table } from "./markdown.ts";

interface Fields {
  readonly properties: Readonly<Record<string, Described>>;
  readonly required?: readonly string[];
}

interface Described {
  readonly description?: string;
  readonly $ref?: string;
  readonly enum?: readonly (string | null)[];
}

const schema = suiteSchema();
const definitions = schema.$defs as Readonly<Record<string, unknown>>;

/** Returns the page about the files that `mesh-iam test` runs. */
export function policyTestsPage(): string {
  const { anyOf } = definitions.expected as { readonly anyOf: readonly unknown[] };
  return page(
    "Policy tests",
    "src/domain/directory/suite/",
    "A file named `*_test.yaml` says who asks for what, and what the answer should be. `mesh-iam test` runs it with the engine that decides in production; [examples/quickstart/orders_test.yaml](../../examples/quickstart/orders_test.yaml) is one. Editors complete such files with [policy-tests.schema.json](policy-tests.schema.json).",
    "The policies are those of a folder of documents, or stand in the file as in a scenario. With documents a principal or resource is its ARN: policies, tags, boundary and organization are looked up, and a name that they do not have refuses the file.",
    "## The file",
    fieldTable(schema),
    "## A test",
    "With lists it asks about each choice of principal, action and resource, and expects the same of all.",
    fieldTable(definitions.test),
    "## What is expected",
    "`allowed`, `explicitDeny` or `implicitDeny`, or some of these; what is left out is not compared. A question that could not be decided fits no expectation.",
    fieldTable(anyOf[1]),
    "## A principal",
    fieldTable(definitions.principal),
    "## A resource",
    fieldTable(definitions.resource),
  );
}

function fieldTable(of: unknown): string {
  const { properties, required = [] } = of as Fields;
  return table(
    ["field", "", "meaning"],
    Object.entries(properties).map(([name, field]) => [
      code(name),
      required.includes(name) ? "required" : "",
      meaningOf(field),
    ]),
  );
}

/** A reference has the words of what it leads to. */
function meaningOf({ description, $ref, enum: words }: Described): string {
  const target = $ref === undefined ? undefined : definitions[$ref.slice("#/$defs/".length)];
  const own = description ?? (target as Described | undefined)?.description ?? "";
  const listed = words === undefined ? "" : words.map((word) => code(String(word))).join(", ");
  return [own, listed].filter((part) => part !== "").join(" ");
}
