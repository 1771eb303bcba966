import { dirname, isAbsolute, join } from "node:path";
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  type ParsedNode,
  parseDocument,
  visit,
  type YAMLMap,
} from "yaml";
import { meant, nearestWord } from "../../iam/nearest-word.ts";
import { type Position, type Problem, quote } from "../../iam/problem.ts";
import { type Given, type Layer, refusal, unknownName, wrongValue } from "./layer.ts";
import { type Members, type NamedSetting, namedSettings } from "./setting.ts";

/** A configuration file as it was read. `path` is shown and is where relative paths start. */
export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

const maxFileBytes = 1_048_576;

/**
 * Returns what the file gives, adding to `problems` what is wrong with it.
 *
 * YAML 1.2 (core schema), so JSON as well; one document; no anchors, aliases, tags or merge keys,
 * which nobody needs here and which make a key's place ambiguous.
 */
export function readFileLayer(file: ConfigFile, members: Members, problems: Problem[]): Layer {
  const given = new Map<string, Given>();
  if (Buffer.byteLength(file.text) > maxFileBytes) {
    problems.push(refusal("TOO_LARGE", "", `expected at most ${maxFileBytes} bytes`));
    return given;
  }
  const lines = new LineCounter();
  const at = (offset: number | undefined): Position | null => {
    if (offset === undefined) return null;
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1), offset };
  };
  const document = parse(file.text, lines, at, problems);
  if (document?.contents == null) return given;

  const byKey = new Map(namedSettings(members).map((named) => [named.key, named]));
  const walk = (map: YAMLMap.Parsed, level: Members, prefix: string) => {
    const seen = new Map<string, Position | null>();
    for (const { key: keyNode, value: node } of map.items) {
      const position = at(keyNode.range?.[0]);
      const name = isScalar(keyNode) ? String(keyNode.value) : "";
      const key = prefix + name;
      const first = seen.get(name);
      if (first !== undefined) {
        const message = `${quote(key)} is given twice, first on line ${first?.line ?? 1}`;
        problems.push(refusal("DUPLICATE_KEY", key, message, position));
        continue;
      }
      seen.set(name, position);
      const entry = Object.hasOwn(level, name) ? level[name] : undefined;
      if (entry === undefined) {
        problems.push(unknownKey(name, key, level, byKey, position));
      } else if (entry.type === "group") {
        if (isMap(node)) walk(node, entry.members, `${key}.`);
        else if (!isNothing(node)) problems.push(noMapping(key, at(node?.range?.[0])));
      } else {
        const named = byKey.get(key);
        if (named !== undefined) readSetting(named, node);
      }
    }
  };
  const readSetting = (named: NamedSetting, node: ParsedNode | null) => {
    const { key, setting } = named;
    const position = at(node?.range?.[0]);
    const value = setting.kind.fromValue(node === null ? null : node.toJS(document));
    if (value === undefined) {
      problems.push(wrongValue(named, shown(file.text, node), key, position));
      return;
    }
    const resolved =
      setting.kind.path && typeof value === "string" && !isAbsolute(value)
        ? join(dirname(file.path), value)
        : value;
    given.set(key, { value: resolved, name: key, position });
  };

  if (isMap(document.contents)) walk(document.contents, members, "");
  else if (!isNothing(document.contents)) problems.push(noMapping("", at(0)));
  return given;
}

function parse(
  text: string,
  lines: LineCounter,
  at: (offset: number | undefined) => Position | null,
  problems: Problem[],
): Document.Parsed | null {
  const before = problems.length;
  let document: Document.Parsed;
  try {
    document = parseDocument(text, {
      lineCounter: lines,
      version: "1.2",
      schema: "core",
      merge: false,
      // Ours is linear in the number of keys and names both lines; the library's is quadratic.
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: "error",
    });
  } catch (reason) {
    // Thousands of open brackets overflow the parser's stack.
    if (!(reason instanceof RangeError)) throw reason;
    problems.push(refusal("SYNTAX", "", "expected YAML that is nested less deeply"));
    return null;
  }
  for (const fault of [...document.errors, ...document.warnings]) {
    const sentence = fault.message.charAt(0).toLowerCase() + fault.message.slice(1);
    const message =
      fault.code === "MULTIPLE_DOCS"
        ? "expected one document, got several"
        : sentence.replace(/\.$/, "");
    problems.push(refusal("SYNTAX", "", message, at(fault.pos[0])));
  }
  if (problems.length > before) return null;
  visit(document, (_, node) => {
    if (isAlias(node)) {
      const message = `expected a plain value, got the alias ${quote(`*${node.source}`)}`;
      problems.push(refusal("SYNTAX", "", message, at(node.range?.[0])));
    }
  });
  return problems.length > before ? null : document;
}

/** A key of another level is the second guess after a near word of its own: `rootFingerprints`. */
function unknownKey(
  name: string,
  key: string,
  level: Members,
  byKey: ReadonlyMap<string, NamedSetting>,
  position: Position | null,
): Problem {
  const here = Object.keys(level);
  if (nearestWord(name, here) !== null) return unknownName("key", name, key, here, position);
  const elsewhere = [...byKey.keys()].filter((other) => other.endsWith(`.${name}`));
  if (elsewhere.length !== 1) return unknownName("key", name, key, here, position);
  const message = `unknown key ${quote(name)}${meant(elsewhere[0] ?? null)}`;
  return refusal("UNKNOWN_KEY", key, message, position);
}

function noMapping(key: string, position: Position | null): Problem {
  return refusal("WRONG_VALUE", key, "expected a mapping of keys to values", position);
}

/** `bundle:` with nothing after it says as much as no `bundle:` at all. */
function isNothing(node: unknown): boolean {
  return node === null || node === undefined || (isScalar(node) && node.value === null);
}

function shown(text: string, node: ParsedNode | null): string {
  if (node === null) return "";
  return text.slice(node.range[0], node.range[1]);
}
