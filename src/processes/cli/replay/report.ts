import { printable } from "../../../domain/directory/document-problem.ts";
import { formatArn } from "../../../iam/arn.ts";
import type { Decision } from "../../../iam/decision.ts";
import { arnOf } from "../../../iam/principal.ts";
import type { Paint } from "../paint.ts";
import { printableJson } from "../printable-json.ts";
import { statementName } from "../statement-name.ts";
import { leaf, treeLines } from "../tree.ts";
import type { LoggedAnswer, LoggedDecision } from "./logged-decision.ts";

/** A logged decision that the documents decide otherwise. */
export interface Difference {
  readonly id: string;
  readonly line: number;
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  readonly before: LoggedAnswer;
  readonly after: LoggedAnswer;
}

/** A line that was not decided again. */
export interface NotReplayed {
  readonly line: number;
  readonly id: string | null;
  readonly why: string;
}

export interface Replay {
  /** Decisions that were made again. */
  readonly replayed: number;
  readonly differences: readonly Difference[];
  readonly notReplayed: readonly NotReplayed[];
}

/** Returns the difference between what was decided and what is, null for none: decision or layer. */
export function differenceOf(
  line: number,
  { id, answer, question }: LoggedDecision,
  decision: Decision,
  open: boolean,
): Difference | null {
  if (answer.decision === decision.decision && answer.deniedBy === decision.deniedBy) return null;
  const { principal, action, resource } = question.context;
  const isOpen = open && decision.decision === "allowed";
  return {
    id,
    line,
    principal: arnOf(principal) ?? ("name" in principal ? principal.name : principal.type),
    action,
    resource: resource.arn === null ? "*" : formatArn(resource.arn),
    before: answer,
    after: {
      decision: decision.decision,
      deniedBy: decision.deniedBy,
      reason: isOpen ? "authentication-not-required" : decision.reason,
      matchedStatements: decision.matchedStatements,
    },
  };
}

/** Returns the replay for programs. */
export function formatReplayJson({ replayed, differences, notReplayed }: Replay): string {
  return printableJson({ replayed, differences, notReplayed });
}

/** Returns the replay for people: what changes, how much was replayed, and what could not be. */
export function formatReplay({ replayed, differences, notReplayed }: Replay, paint: Paint): string {
  const lines = differences.flatMap((each) => differenceLines(each, paint));
  const count = differences.length;
  const differing = count === 1 ? "1 differs" : `${count} differ`;
  const verdict = count === 0 ? paint.good("none differs") : paint.bad(differing);
  const end = `${replayed} ${replayed === 1 ? "decision" : "decisions"} made again: ${verdict}`;
  return [...lines, ...(count === 0 ? [] : [""]), end, ...notReplayedLines(notReplayed)].join("\n");
}

function differenceLines(
  { id, line, principal, action, resource, before, after }: Difference,
  paint: Paint,
): readonly string[] {
  const arrow = `${answerText(before, paint)} → ${answerText(after, paint)}`;
  const branches = [
    ...before.matchedStatements.map((each) => leaf(`was decided by ${statementName(each)}`)),
    ...after.matchedStatements.map((each) => leaf(`is decided by ${statementName(each)}`)),
  ];
  return [
    printable(`${id} (line ${line}): ${principal} asks for ${action} on ${resource}`),
    arrow,
    ...treeLines(branches),
  ];
}

function answerText({ decision, deniedBy, reason }: LoggedAnswer, paint: Paint): string {
  const by = deniedBy === null ? "" : ` by ${deniedBy}`;
  const why = reason === null ? "" : ` (${reason})`;
  const text = printable(`${decision}${by}${why}`);
  return decision === "allowed" ? paint.good(text) : paint.bad(text);
}

/** So many lines of one cause are named; `--json` names all. */
const maxNamed = 10;

function notReplayedLines(rows: readonly NotReplayed[]): readonly string[] {
  if (rows.length === 0) return [];
  const byCause = new Map<string, NotReplayed[]>();
  for (const row of rows) {
    const known = byCause.get(row.why);
    if (known === undefined) byCause.set(row.why, [row]);
    else known.push(row);
  }
  const branches = [...byCause].map(([why, of]) => {
    const named = of.slice(0, maxNamed).map(({ id, line }) => id ?? `line ${line}`);
    const more = of.length > maxNamed ? `, and ${of.length - maxNamed} more` : "";
    return leaf(printable(`${of.length} × ${why}: ${named.join(", ")}${more}`));
  });
  return [`${rows.length} could not be made again:`, ...treeLines(branches)];
}
