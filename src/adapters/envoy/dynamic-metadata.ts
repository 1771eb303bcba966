import type { CheckOutcome } from "../../domain/request/outcome.ts";
import type { DecisionWord } from "../../iam/decision.ts";
import type { PolicyType } from "../../iam/policy/policy-type.ts";
import type { Reason } from "../../iam/reason.ts";
import { blocksOf } from "./principal-blocks.ts";
import { structEntries, structEntry, structKey, writeStructEntry } from "./struct-entry.ts";
import { build, type ReverseWriter } from "./wire-writer.ts";

const dynamicMetadata = 4;

const decisionId = structKey("decision_id");
const policy = structKey("policy_id");
const resource = structKey("resource");
const reasonEntry = structEntries<Reason>("reason");
const shadowReasonEntry = structEntries<Reason>("shadow_reason");
const shadowDecisionEntry = structEntries<DecisionWord>("shadow_decision");
const modeEntries = {
  enforce: structEntry("mode", "enforce"),
  shadow: structEntry("mode", "shadow"),
} as const;

/**
 * Writes `dynamic_metadata` of a CheckResponse: what access logs, filters behind ours and operators
 * read of a decision. Flat strings, keys in ascending order, no tokens; what is not known is left
 * out. In shadow mode `decision` and `reason` say what Envoy was told, `shadow_decision` and
 * `shadow_reason` what was decided.
 *
 * Source: envoy-ext-authz 2.5, R8, R10. The Struct of google.protobuf with string values only.
 */
export function writeDynamicMetadata(writer: ReverseWriter, outcome: CheckOutcome): void {
  const { answer, decision, principal } = outcome;
  const known = principal === null ? null : blocksOf(principal);
  const policyId = decidingPolicyId(outcome);
  const mark = writer.length;
  // From the last key to the first.
  if (outcome.mode === "shadow") {
    writer.bytes(shadowReasonEntry(decision.reason));
    writer.bytes(shadowDecisionEntry(decision.decision));
  }
  if (outcome.resource !== null) writeStructEntry(writer, resource, outcome.resource);
  writer.bytes(reasonEntry(answer.reason));
  if (known !== null && known.arn !== null) writer.bytes(known.arn);
  if (policyId !== null) writeStructEntry(writer, policy, policyId);
  writer.bytes(modeEntries[outcome.mode]);
  writeStructEntry(writer, decisionId, outcome.decisionId);
  writer.bytes(beginning(outcome));
  if (known !== null && known.account !== null) writer.bytes(known.account);
  writer.delimit(dynamicMetadata, mark);
}

/** Returns the least metadata of an answer that has no outcome: reason and decision id. */
export function bareMetadata(reason: Reason, id: string): Buffer {
  return build((writer) => {
    writer.bytes(reasonEntry(reason));
    writeStructEntry(writer, decisionId, id);
    writer.bytes(structEntry("decision", "implicitDeny"));
    writer.delimit(dynamicMetadata, 0);
  });
}

/** The entries from `action` to `decision`, and for which revision they hold. */
interface Beginning {
  readonly epoch: number;
  readonly revision: number;
  readonly entries: Buffer;
}

/** The last beginning for each use of the cache and each told decision. */
type Beginnings = Record<CheckOutcome["cache"], Partial<Record<DecisionWord, Beginning>>>;

/** By action; empty for none. Route maps bound the actions of a revision, `maxActions` those of all. */
const beginnings = new Map<string, Beginnings>();
const maxActions = 4096;

function beginning(outcome: CheckOutcome): Buffer {
  const { epoch, revision, cache } = outcome;
  const action = outcome.action ?? "";
  const told = toldDecision(outcome);
  let known = beginnings.get(action);
  if (known === undefined) {
    if (beginnings.size >= maxActions) beginnings.clear();
    known = { hit: {}, miss: {}, bypass: {} };
    beginnings.set(action, known);
  }
  const last = known[cache][told];
  if (last?.epoch === epoch && last.revision === revision) return last.entries;
  const entries = build((writer) => {
    writer.bytes(structEntry("decision", told));
    writer.bytes(structEntry("cache", cache));
    writer.bytes(structEntry("bundle_revision", `${epoch}.${revision}`));
    if (outcome.action !== null) writer.bytes(structEntry("action", action));
  });
  known[cache][told] = { epoch, revision, entries };
  return entries;
}

function toldDecision({ answer, decision }: CheckOutcome): DecisionWord {
  if (answer.type === "allow") return "allowed";
  // A denial of a request that the policies allow does not exist; were it built, it denies.
  return decision.decision === "allowed" ? "implicitDeny" : decision.decision;
}

/** The policy whose statement decided: of an allow that of the layer which the reason names. */
function decidingPolicyId({ decision }: CheckOutcome): string | null {
  const layer = allowingLayer(decision.reason);
  for (const statement of decision.matchedStatements) {
    if (layer === null || statement.policyType === layer) return statement.policyId;
  }
  return null;
}

function allowingLayer(reason: Reason): PolicyType | null {
  if (reason === "identity-policy") return "identity";
  return reason === "resource-policy" ? "resource" : null;
}
