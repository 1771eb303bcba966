import { authorizerSettings, sourceKeys } from "../../src/adapters/config/schema.ts";
import type { Members } from "../../src/adapters/config/setting.ts";

/** Returns the JSON schema of the authorizer's file, for editors: completion, and errors while typing. */
export function configSchema(): Record<string, unknown> {
  const pairs = sourceKeys.flatMap((key, at) =>
    sourceKeys.slice(at + 1).map((other) => ({ not: { required: [key, other] } })),
  );
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "mesh-iam authorizer configuration",
    ...objectSchema(authorizerSettings),
    allOf: pairs,
  };
}

function objectSchema(members: Members): Record<string, unknown> {
  const properties = Object.entries(members).map(([name, entry]) => {
    if (entry.type === "group") {
      const schema = objectSchema(entry.members);
      return [name, { description: entry.summary, ...schema, type: ["object", "null"] }];
    }
    const { kind, summary } = entry;
    return [name, { description: summary, ...kind.schema, default: kind.show(entry.default) }];
  });
  return {
    type: "object",
    additionalProperties: false,
    properties: Object.fromEntries(properties),
  };
}
