import type { ContextValue, PolicyLayers, RequestContext } from "../../src/iam/request-context.ts";
import { parseScenario, type Scenario } from "../../src/iam/scenario.ts";
import { formatScenario } from "../../src/iam/scenario-format.ts";
import { mapLayers } from "../corpus/map-layers.ts";

/** A statement of a generated document, in the words of the policy language. */
export interface DraftStatement {
  readonly Sid?: string;
  readonly Effect: "Allow" | "Deny";
  readonly Principal?: PrincipalDraft;
  readonly NotPrincipal?: PrincipalDraft;
  readonly Action?: readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource?: readonly string[];
  readonly NotResource?: readonly string[];
  readonly Condition?: ConditionDraft;
}

export type PrincipalDraft = "*" | { readonly [key: string]: readonly string[] };

export type ConditionDraft = {
  readonly [operator: string]: { readonly [key: string]: readonly string[] };
};

export interface DraftDocument {
  readonly Version?: string;
  readonly Statement: readonly DraftStatement[];
}

/** A null document cannot be read. */
export interface DraftPolicy {
  readonly id: string;
  readonly document: DraftDocument | null;
}

/** A question before it is written down: what generators make, laws change and the shrinker cuts. */
export interface Draft {
  readonly context: RequestContext;
  readonly keys: ReadonlyMap<string, ContextValue>;
  readonly layers: PolicyLayers<DraftPolicy>;
}

/** Returns the draft as the text of a scenario: what is printed, replayed and kept in the corpus. */
export function textOf(draft: Draft, id: string): string {
  const asText = ({ id, document }: DraftPolicy) => ({
    id,
    text: document && JSON.stringify(document),
  });
  return formatScenario(id, draft.context, draft.keys, mapLayers(draft.layers, asText));
}

/** Returns the question itself, by way of its text. A refused draft is a bug of the generator. */
export function scenarioOf(draft: Draft, id: string): Scenario {
  const text = textOf(draft, id);
  const loaded = parseScenario(text);
  if (loaded.ok) return loaded.value;
  throw new Error(`the draft is refused: ${JSON.stringify(loaded.problems)}\n${text}`);
}
