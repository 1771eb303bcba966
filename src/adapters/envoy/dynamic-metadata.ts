import type { CheckOutcome } from "../../domain/request/outcome.ts";
import type { PolicyType } from "../../iam/policy/policy-type.ts";
import { accountOf, arnOf, type Principal } from "../../iam/principal.ts";
import type { Reason } from "../../iam/reason.ts";
import { build, type ReverseWriter } from "./wire-writer.ts";

const dynamicMetadata = 4;

interface PrincipalEntries {
  readonly account: Buffer | null;
  readonly arn: Buffer | null;
}

/** One entry of a Struct, tag included. */
function entry(key: string, value: string): Buffer {
  return build((writer) => writeEntry(writer, key, value));
}

function writeEntry(writer: ReverseWriter, key: string, value: string): void {
  const mark = writer.length;
  writer.text(3, value); // Value.string_value
  writer.delimit(2, mark);
  writer.text(1, key);
  writer.delimit(1, mark);
}

/** The entries whose values are words of closed sets, made once each. */
const words = new Map<string, Map<string, Buffer>>();

function wordEntry(key: string, word: string): Buffer {
  let byWord = words.get(key);
  if (byWord === undefined) {
    byWord = new Map();
    words.set(key, byWord);
  }
  let block = byWord.get(word);
  if (block === undefined) {
    block = entry(key, word);
    byWord.set(word, block);
  }
  return block;
}

// Principals live as long as their token does; their entries live with them.
const byPrincipal = new WeakMap<Principal, PrincipalEntries>();

function principalEntries(principal: Principal): PrincipalEntries {
  const known = byPrincipal.get(principal);
  if (known !== undefined) return known;
  const account = accountOf(principal);
  const arn = arnOf(principal);
  const made = {
    account: account === null ? null : entry("account", account),
    arn: arn === null ? null : entry("principal_arn", arn),
  };
  byPrincipal.set(principal, made);
  return made;
}

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
  const known = principal === null ? null : principalEntries(principal);
  const policyId = decidingPolicyId(outcome);
  const mark = writer.length;
  // From the last key to the first.
  if (outcome.mode === "shadow") {
    writer.bytes(wordEntry("shadow_reason", decision.reason));
    writer.bytes(wordEntry("shadow_decision", decision.decision));
  }
  if (outcome.resource !== null) writeEntry(writer, "resource", outcome.resource);
  writer.bytes(wordEntry("reason", answer.reason));
  if (known !== null && known.arn !== null) writer.bytes(known.arn);
  if (policyId !== null) writeEntry(writer, "policy_id", policyId);
  writer.bytes(wordEntry("mode", outcome.mode));
  writeEntry(writer, "decision_id", outcome.decisionId);
  writer.bytes(wordEntry("decision", toldDecision(outcome)));
  writer.bytes(wordEntry("cache", outcome.cache));
  writeEntry(writer, "bundle_revision", `${outcome.epoch}.${outcome.revision}`);
  if (outcome.action !== null) writeEntry(writer, "action", outcome.action);
  if (known !== null && known.account !== null) writer.bytes(known.account);
  writer.delimit(dynamicMetadata, mark);
}

/** Returns the least metadata of an answer that has no outcome: reason and decision id. */
export function bareMetadata(reason: Reason, decisionId: string): Buffer {
  return build((writer) => {
    writer.bytes(wordEntry("reason", reason));
    writeEntry(writer, "decision_id", decisionId);
    writer.bytes(wordEntry("decision", "implicitDeny"));
    writer.delimit(dynamicMetadata, 0);
  });
}

function toldDecision({ answer, decision }: CheckOutcome): string {
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
