import type { Position, Severity } from "../../problem.ts";
import type { PolicyDocument, Statement } from "../document.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import type { DocumentType } from "../policy-type.ts";
import { find, type Message, type Report } from "../report.ts";

/** What is known of one service: the catalogue of LOAD-5. */
export interface ServiceCatalogue {
  /** Names of its actions, without the prefix. */
  readonly actions: readonly string[];
  /** Its condition keys, with the prefix. */
  readonly conditionKeys: readonly string[];
}

/** Options of `validatePolicy`. */
export interface ValidateOptions {
  /** Services by action prefix in lower case, besides `sts`, which is built in. Default: none. */
  readonly services?: ReadonlyMap<string, ServiceCatalogue>;
  /** The installation's partition; default `aws`. */
  readonly partition?: string;
  /** Size quota in characters; default: the one of the document's type (iam-semantics 2.5). */
  readonly maxCharacters?: number;
}

/** A document under examination: as read, and as written. */
export interface Subject {
  readonly document: PolicyDocument;
  readonly json: JsonObject;
  readonly text: string;
  readonly type: DocumentType;
  readonly options: ValidateOptions;
  readonly report: Report;
  /** Paths by the offset at which a value or key begins. */
  readonly paths: ReadonlyMap<number, string>;
}

/** One check: looks at the subject and adds findings to its report. */
export type Check = (subject: Subject) => void;

/** Adds a finding at the place that begins at `position`. */
export function note(
  subject: Subject,
  severity: Severity,
  code: string,
  position: Position,
  message: Message,
): void {
  const path = subject.paths.get(position.offset) ?? "";
  find(subject.report, severity, { path, position }, code, message);
}

/** Returns the statements that allow. */
export function allowsOf({ document }: Subject): readonly Statement[] {
  return document.statements.filter((statement) => statement.effect === "Allow");
}

/** Returns the path of every value and key of `json`, by the offset at which it begins. */
export function pathsOf(json: JsonValue): ReadonlyMap<number, string> {
  const paths = new Map<number, string>();
  const walk = (value: JsonValue, path: string): void => {
    paths.set(value.position.offset, path);
    if (value.type === "array") {
      value.items.forEach((item, index) => {
        walk(item, `${path}[${index}]`);
      });
    }
    if (value.type !== "object") return;
    for (const entry of value.entries) {
      const inner = path === "" ? entry.key : `${path}.${entry.key}`;
      paths.set(entry.position.offset, inner);
      walk(entry.value, inner);
    }
  };
  walk(json, "");
  return paths;
}
