import type { Position, Problem } from "../../iam/problem.ts";
import { type DocumentProblem, joinPath } from "./document-problem.ts";
import type { DocumentFile } from "./documents.ts";
import { subjectOf } from "./envelope.ts";
import type { PolicyText } from "./model.ts";
import { joinPaths, positionInText } from "./shape/policy.ts";
import { defaultYamlLimits, type YamlLimits } from "./yaml/bounds.ts";
import { type WrittenJson, writeJson } from "./yaml/json.ts";
import type { DocumentNode } from "./yaml/node.ts";
import { parseYaml } from "./yaml/parse.ts";

/** Returns what is to be said about a policy as a finding about the file that it was read from. */
export type PolicyLocator = (policy: PolicyText, problem: Problem) => DocumentProblem;

/** A value of a document that could be a policy. */
interface Candidate {
  readonly node: DocumentNode;
  /** Of a mapping; null: the node is a text. */
  readonly written: WrittenJson | null;
  readonly subject: string;
  readonly path: string;
}

/**
 * Returns the locator of policies that were read from `files`: a policy's text is found again at the line
 * that its `source` names, and places in it become places of the file. What is not found is told at
 * that line. A file is parsed when the first of its policies is asked for.
 */
export function createPolicyLocator(
  files: readonly DocumentFile[],
  limits: YamlLimits = defaultYamlLimits,
): PolicyLocator {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  const parsed = new Map<string, ReadonlyMap<number, readonly Candidate[]>>();
  return (policy, problem) => {
    const { file, line } = sourceOf(policy);
    const text = texts.get(file);
    const known = parsed.get(file);
    const byLine = known ?? (text === undefined ? new Map() : candidatesIn(text, limits));
    if (known === undefined) parsed.set(file, byLine);
    for (const candidate of byLine.get(line) ?? []) {
      const located = locate(candidate, policy.text, problem);
      if (located !== null) return { ...problem, ...located, file };
    }
    const position = line === 0 ? null : { line, column: 1, offset: 0 };
    return { ...problem, file, subject: policy.id, position };
  };
}

function sourceOf({ source, id }: PolicyText): { readonly file: string; readonly line: number } {
  const colon = source?.lastIndexOf(":") ?? -1;
  if (source === null || colon < 0) return { file: id, line: 0 };
  return { file: source.slice(0, colon), line: Number(source.slice(colon + 1)) };
}

function candidatesIn(text: string, limits: YamlLimits): ReadonlyMap<number, readonly Candidate[]> {
  const byLine = new Map<number, Candidate[]>();
  const walk = (node: DocumentNode, subject: string, path: string): void => {
    if (isPolicyLike(node)) {
      const { line } = node.position;
      const known = byLine.get(line);
      const written = node.type === "map" ? writeJson(node) : null;
      const candidate: Candidate = { node, written, subject, path };
      if (known === undefined) byLine.set(line, [candidate]);
      else known.push(candidate);
    }
    if (node.type === "map") {
      for (const { key, value } of node.entries) walk(value, subject, joinPath(path, key));
    }
    if (node.type === "list") {
      for (const [index, item] of node.items.entries()) walk(item, subject, joinPath(path, index));
    }
  };
  for (const { root } of parseYaml(text, limits)) {
    if (root !== null) walk(root, subjectOf(root), "");
  }
  return byLine;
}

/** Whether the loader could have accepted it: a policy has a statement (DOC-2). */
function isPolicyLike(node: DocumentNode): boolean {
  if (node.type === "map") return node.entries.some(({ key }) => key === "Statement");
  return node.type === "text" && node.text.includes("Statement");
}

type Located = Pick<DocumentProblem, "subject" | "path" | "position">;

/** Returns the place of `problem` in the file, or null where the candidate is another value. */
function locate(
  { node, written, subject, path }: Candidate,
  policy: string,
  { path: inside, position }: Problem,
): Located | null {
  const place = (at: Position): Located => ({
    subject,
    path: joinPaths(path, inside),
    position: at,
  });
  if (written !== null) {
    if (written.text !== policy) return null;
    return place(position === null ? node.position : written.positionAt(position.offset));
  }
  if (node.type !== "text" || node.text !== policy) return null;
  return place(position === null ? node.position : positionInText(node, position));
}
