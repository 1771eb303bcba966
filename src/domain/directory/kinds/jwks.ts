import { quote } from "../../../iam/problem.ts";
import { type Place, within } from "../document-problem.ts";
import type { KeySource } from "../model.ts";
import { jsonWebKeys } from "../shape/json-web-keys.ts";
import { fetchAddress } from "../shape/names.ts";
import { record } from "../shape/record.ts";
import { type Placed, placed, text } from "../shape/scalars.ts";
import { optional } from "../shape/shape.ts";
import { parseYaml } from "../yaml/parse.ts";
import type { Header } from "./header.ts";
import { formatWhere, type World } from "./world.ts";

/** `jwks` of a provider: exactly one way to its keys. */
export const jwks = record(
  {
    uri: optional(fetchAddress, null, "Where the JWK Set is fetched."),
    keys: optional(jsonWebKeys, null, "The keys, pinned: public JWKs."),
    file: optional(
      placed(text("a relative path with `/`", /^[^\p{Cc}\\]+$/u, 1024)),
      null,
      "A file with a JWK Set, relative to this document. It is watched with it, and read only without a control plane.",
    ),
  },
  { exactlyOne: ["uri", "keys", "file"] },
);

interface Source {
  readonly uri: string | null;
  readonly keys: string | null;
  readonly file: Placed<string> | null;
}

/** Returns where the keys come from, those of a file read and inlined, or null with a report. */
export function keySourceOf(header: Header, source: Source, world: World): KeySource | null {
  return source.file === null ? namedKeys(source) : readFile(header, source.file, world);
}

/** Returns where keys come from that are pinned or fetched: exactly one of the two is given. */
export function namedKeys({ uri, keys }: Pick<Source, "uri" | "keys">): KeySource {
  return keys === null ? { type: "uri", uri: uri ?? "" } : { type: "keys", json: keys };
}

function readFile(header: Header, file: Placed<string>, world: World): KeySource | null {
  const path = pathBeside(header.place.file, file.value);
  if (path === null) {
    const message = `expected a path inside the folder of documents, got ${quote(file.value)}`;
    world.refuse(file.place, "INVALID_VALUE", message);
    return null;
  }
  const content = world.readFile(path);
  if (!content.ok) {
    const message = `${quote(path)} cannot be read: ${content.message}`;
    world.refuse(file.place, "FILE_UNREADABLE", message);
    return null;
  }
  return readKeySet(path, content.value, file.place, world);
}

function readKeySet(path: string, content: string, from: Place, world: World): KeySource | null {
  const documents = parseYaml(content, world.limits);
  for (const { position, message } of documents.flatMap(({ problems }) => problems)) {
    world.refuse(
      { file: path, subject: from.subject, path: "", position },
      "SYNTAX_ERROR",
      message,
    );
  }
  const [only, ...others] = documents;
  if (documents.some(({ problems }) => problems.length > 0)) return null;
  const root = only?.root;
  const entries = root?.type === "map" ? root.entries : [];
  const envelope = entries.find(({ key }) => key === "apiVersion" || key === "kind");
  if (envelope !== undefined) {
    const at = { file: path, subject: from.subject, path: "", position: envelope.keyPosition };
    const remedy = `at ${formatWhere(from)} name a file that holds nothing but the keys`;
    const message = `expected a JWK Set, got a document with ${quote(envelope.key)}: ${remedy}`;
    world.refuse(at, "INVALID_VALUE", message);
    return null;
  }
  const keys = entries.find(({ key }) => key === "keys");
  if (keys === undefined || root === undefined || others.length > 0) {
    const message = `expected a JWK Set with the member ${quote("keys")} in ${quote(path)}`;
    world.refuse(from, "INVALID_VALUE", message);
    return null;
  }
  const top = { file: path, subject: from.subject, path: "", position: keys.value.position };
  const json = jsonWebKeys.read(keys.value, within(top, "keys", keys.value.position), world.report);
  return json === undefined ? null : { type: "keys", json };
}

/**
 * Returns the path of `target` as seen from the file `from`, both with `/` and relative to the same
 * folder; null for an absolute path and for one that leads out of the folder.
 */
export function pathBeside(from: string, target: string): string | null {
  if (target.startsWith("/")) return null;
  const steps = from.split("/").slice(0, -1);
  for (const step of target.split("/")) {
    if (step === "" || step === ".") continue;
    if (step !== "..") steps.push(step);
    else if (steps.pop() === undefined) return null;
  }
  return steps.join("/");
}
