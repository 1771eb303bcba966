import { type JsonValue, parseJson } from "../../../iam/policy/json.ts";
import { type Parsed, quote } from "../../../iam/problem.ts";

const maxDepth = 64;

/**
 * Returns the JSON object in a body as plain data. Refused: what is no JSON object, a member twice in one
 * object, more than `maxBytes`. Linear.
 */
export function readJsonObject(
  text: string,
  maxBytes: number,
): Parsed<Readonly<Record<string, unknown>>> {
  const parsed = parseJson(text === "" ? "{}" : text, { maxBytes, maxDepth, characters: "any" });
  if (!parsed.ok) {
    const [problem] = parsed.problems;
    return { ok: false, code: "SYNTAX", message: problem?.message ?? "expected JSON" };
  }
  const { value } = parsed;
  if (value.type !== "object") {
    return {
      ok: false,
      code: "SYNTAX",
      message: `expected a JSON object, got ${quote(text.slice(0, 40))}`,
    };
  }
  return { ok: true, value: plain(value) as Readonly<Record<string, unknown>> };
}

function plain(value: JsonValue): unknown {
  switch (value.type) {
    case "object":
      // `fromEntries` defines own members, whatever they are called.
      return Object.fromEntries(value.entries.map((entry) => [entry.key, plain(entry.value)]));
    case "array":
      return value.items.map(plain);
    case "null":
      return null;
    case "number":
      return Number(value.text);
    case "string":
    case "boolean":
      return value.value;
  }
}
