import { callerByArn } from "../../../domain/directory/caller-by-arn.ts";
import type { PrincipalPolicies } from "../../../domain/directory/policies.ts";
import { type KnownTarget, targetByArn } from "../../../domain/directory/target-by-arn.ts";
import { anonymousMapping } from "../../../domain/principal/map.ts";
import { foldAscii } from "../../../iam/ascii.ts";
import type { EngineLayers } from "../../../iam/compile/layers.ts";
import { createPolicySet } from "../../../iam/compile/policy-set.ts";
import { readSet } from "../../../iam/compile/reads.ts";
import type { Decision } from "../../../iam/decision.ts";
import { explain } from "../../../iam/evaluation/explain.ts";
import type { Principal } from "../../../iam/principal.ts";
import type { Parsed } from "../../../iam/problem.ts";
import type { ContextValue, RequestContext } from "../../../iam/request-context.ts";
import { type DocumentWorld, layersOf } from "../document-world.ts";
import { compileScenarioPolicy, engineLayersOf } from "../scenario-file.ts";
import { isKnownAbsent, replayKeys, withoutCredential } from "./known-keys.ts";
import type { LoggedDecision } from "./logged-decision.ts";

/** A decision made again. */
export interface DecidedAgain {
  readonly decision: Decision;
  /** Nobody is authenticated: an Allow is implied (EXC-10). */
  readonly open: boolean;
}

/**
 * Returns the decision about a logged question in `world`: policies of caller and resource, SCPs, RCPs
 * and organizations are those of the documents; caller, tags, session policies, condition keys and time
 * are the log's.
 *
 * Refused where the log does not say enough, with the reason as message: the caller, resource or
 * action is not in the documents (codes of `callerByArn`, `targetByArn`), nobody was authenticated then
 * and would be now (`was-open`), a statement that could matter reads a key that was not written
 * (`key-not-logged`). Who a credential is, provider rules and role trust among it, is not asked again.
 */
export function decideAgain(logged: LoggedDecision, world: DocumentWorld): Parsed<DecidedAgain> {
  const { question, wasOpen } = logged;
  const { action, resource } = question.context;
  const target = targetByArn(world.lookup, action, resource);
  if (!target.ok) return target;
  const { open, policies } = target.value;
  if (wasOpen && !open) {
    const message =
      "nobody was authenticated then (an open route or a preflight), and now it is asked who";
    return { ok: false, code: "was-open", message };
  }
  const caller = callerNow(logged, open, world);
  if (!caller.ok) return caller;
  const { principal, own, keys } = caller.value;
  const asked: RequestContext = {
    ...question.context,
    principal,
    resource: { ...resource, class: policies.class },
    principalOrganization: own.organization,
    resourceOrganization: policies.organization,
  };
  const context = { ...asked, keys: replayKeys(asked, keys) };
  const layers = layersWithSession(own, target.value, logged, open, world);
  const { decision, missingContextKeys } = explain(context, layers);
  const unknown = unknownKeys(missingContextKeys, logged, principal, world);
  if (unknown.length > 0) {
    const message = `a statement reads ${unknown.join(", ")}, which was not logged`;
    return { ok: false, code: "key-not-logged", message };
  }
  return { ok: true, value: { decision, open } };
}

interface CallerNow {
  readonly principal: Principal;
  readonly own: PrincipalPolicies;
  readonly keys: ReadonlyMap<string, ContextValue>;
}

function callerNow(
  { question }: LoggedDecision,
  open: boolean,
  { lookup }: DocumentWorld,
): Parsed<CallerNow> {
  const { context } = question;
  if (open) {
    const { principal, policies, keys } = anonymousMapping.mapped;
    const left = new Map([...withoutCredential(context.keys), ...keys]);
    return { ok: true, value: { principal, own: policies, keys: left } };
  }
  const known = callerByArn(lookup, context.principal);
  if (!known.ok) return known;
  const { principal, keys } = context;
  return { ok: true, value: { principal, own: known.value.policies, keys } };
}

function layersWithSession(
  own: PrincipalPolicies,
  target: KnownTarget,
  { question }: LoggedDecision,
  open: boolean,
  world: DocumentWorld,
): EngineLayers {
  const layers = layersOf(own, target, world);
  const { session } = question.layers;
  return open || session === null
    ? layers
    : { ...layers, session: createPolicySet(session.map(compileScenarioPolicy)) };
}

/** Absent keys that may have had a value: they were not written, since no statement of then read them. */
function unknownKeys(
  missing: readonly string[],
  { question, asked }: LoggedDecision,
  principal: Principal,
  { lookup }: DocumentWorld,
): readonly string[] {
  if (missing.length === 0) return [];
  const { arn, account } = question.context.resource;
  const service =
    arn === null || account === null ? null : lookup.serviceByName(account, arn.service);
  const own = new Set((service?.contextKeys ?? []).map(({ key }) => foldAscii(key)));
  const unsaid = missing.filter((key) => !isKnownAbsent(key, principal, own));
  if (unsaid.length === 0) return [];
  const then = asked();
  const read = then === null ? [] : readSet(engineLayersOf(then), then.context.action);
  return unsaid.filter((key) => !read.includes(key));
}
