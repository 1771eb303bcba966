import type { DecisionWord, MatchedStatement } from "../../../iam/decision.ts";
import { parseScenario, type Scenario } from "../../../iam/scenario.ts";
import { impliedAllow } from "../../authorizer/fronted-service.ts";

/** What was decided, in the words of the log. */
export interface LoggedAnswer {
  readonly decision: DecisionWord;
  readonly deniedBy: string | null;
  readonly reason: string | null;
  readonly matchedStatements: readonly Partial<MatchedStatement>[];
}

/** A decision that can be asked again. */
export interface LoggedDecision {
  readonly type: "decision";
  readonly id: string;
  readonly answer: LoggedAnswer;
  /** The question; of its policies only those of the session, which are in no documents. */
  readonly question: Scenario;
  /** Nobody was authenticated: an Allow was implied (EXC-10). */
  readonly wasOpen: boolean;
  /** The question with the policies of then; null where they were redacted or are not accepted. */
  readonly asked: () => Scenario | null;
}

/** A line that cannot be asked again, and why. */
export interface LostLine {
  readonly type: "lost";
  readonly id: string | null;
  readonly why: string;
}

/** A record that is no decision, such as one of the self-check. */
export interface OtherLine {
  readonly type: "other";
}

const decisions: readonly DecisionWord[] = ["allowed", "explicitDeny", "implicitDeny"];

/** What the log writes in place of a secret. */
const redacted = "[redacted]";

/**
 * Returns what a line of a decision log holds (kubernetes-and-observability 2.9). The answer is the
 * engine's: in shadow mode the one that would have been told. Untrusted text; never throws.
 */
export function readLoggedDecision(line: string): LoggedDecision | LostLine | OtherLine {
  const record = parseObject(line);
  if (record === null) return lost(null, "it is no JSON object");
  const id = typeof record.eventID === "string" ? record.eventID : null;
  if ("selfCheck" in record && !("decision" in record)) return { type: "other" };
  const answer = readAnswer(record);
  if (id === null || answer === null) return lost(id, "it is no record of a decision");
  const { input } = record;
  if (input === undefined) {
    const why =
      record.eventName === undefined
        ? "no policy was asked"
        : "it was logged without its input: decisionLogs.input was off, or it was erased";
    return lost(id, why);
  }
  if (!isObject(input)) return lost(id, "its input is no scenario");
  if (typeof input.omitted === "string")
    return lost(id, `its input was not written: ${input.omitted}`);
  if (
    pathsOf(record.masked)
      .concat(pathsOf(record.erased))
      .some((path) => /^input(\.|$)/.test(path))
  ) {
    return lost(id, "its input was masked");
  }
  const policies = isObject(input.policies) ? input.policies : {};
  const { session } = policies;
  const text = JSON.stringify({ ...input, policies: session === undefined ? {} : { session } });
  if (text.includes(redacted)) return lost(id, "a part of its input was redacted");
  const loaded = parseScenario(text);
  if (!loaded.ok) return lost(id, `its input is not accepted: ${loaded.problems[0]?.message}`);
  return {
    type: "decision",
    id,
    answer,
    question: loaded.value,
    wasOpen: beginsWithImpliedAllow(policies.resource),
    asked: () => {
      const asked = JSON.stringify(input);
      const whole = asked.includes(redacted) ? null : parseScenario(asked);
      return whole?.ok === true ? whole.value : null;
    },
  };
}

type Json = Readonly<Record<string, unknown>>;

function parseObject(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readAnswer(record: Json): LoggedAnswer | null {
  const { decision, deniedBy, reason } = isObject(record.shadow) ? record.shadow : record;
  const word = decisions.find((each) => each === decision);
  if (word === undefined) return null;
  const matched = Array.isArray(record.matchedStatements) ? record.matchedStatements : [];
  return {
    decision: word,
    deniedBy: typeof deniedBy === "string" ? deniedBy : null,
    reason: typeof reason === "string" ? reason : null,
    matchedStatements: matched.filter(isObject),
  };
}

function pathsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((path) => typeof path === "string") : [];
}

const [impliedStatement] =
  "text" in impliedAllow ? statementsOf(JSON.parse(impliedAllow.text)) : [];

/** The implied statement stands before those of the service, in one document with them (TYPE-2). */
function beginsWithImpliedAllow(resource: unknown): boolean {
  const document = isObject(resource) ? resource.document : undefined;
  const [first] = statementsOf(document);
  return first !== undefined && JSON.stringify(first) === JSON.stringify(impliedStatement);
}

function statementsOf(document: unknown): readonly unknown[] {
  return isObject(document) ? [document.Statement].flat() : [];
}

function lost(id: string | null, why: string): LostLine {
  return { type: "lost", id, why };
}
