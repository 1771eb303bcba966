import { removals } from "../../domain/request/identity-headers.ts";
import type { CheckOutcome } from "../../domain/request/outcome.ts";
import { credentialReasons } from "../../iam/reason.ts";
import { deniedResponse } from "./denial.ts";
import { DenialTemplates } from "./denial-templates.ts";
import { writeDynamicMetadata } from "./dynamic-metadata.ts";
import { writeHeaderOption } from "./header-option.ts";
import { blocksOf, nobody, type PrincipalBlocks } from "./principal-blocks.ts";
import { build, ReverseWriter } from "./wire-writer.ts";

export interface EncoderOptions {
  /** Tells callers the reason and AWS's sentence. Default false. */
  readonly verbose?: boolean;
}

export interface Encoder {
  /**
   * Returns the serialised CheckResponse of `outcome`; the caller owns the bytes.
   *
   * Never empty, `status` always written: an absent one is an ALLOW to Envoy. Deterministic: equal
   * outcomes give equal bytes but for the decision id. Cost: on an allow of a known principal one
   * copy of prebuilt blocks, three short texts and the metadata's. Throws nothing of its own; the
   * listener answers a throw with `internalDenial`.
   *
   * Source: envoy.service.auth.v3.CheckResponse, rules R1-R10 of envoy-ext-authz.
   */
  encode(outcome: CheckOutcome): Uint8Array;
}

/** Returns the one place where CheckResponses are built. Not reentrant. */
export function createEncoder(options: EncoderOptions = {}): Encoder {
  const verbose = options.verbose ?? false;
  const templates = new DenialTemplates(verbose);
  const writer = new ReverseWriter();
  return {
    encode(outcome) {
      writer.reset();
      writeDynamicMetadata(writer, outcome);
      if (outcome.answer.type === "allow") writeAllow(writer, outcome);
      else writer.bytes(denial(outcome, verbose, templates));
      // INVARIANT: zero bytes are an ALLOW (R1); nothing above can write none.
      if (writer.length === 0) throw new Error("an answer of zero bytes");
      return writer.take();
    },
  };
}

function denial(outcome: CheckOutcome, verbose: boolean, templates: DenialTemplates): Buffer {
  const { answer, decisionId, grpc, sentence } = outcome;
  if (answer.type !== "deny") throw new Error("an allow is no denial");
  if (!verbose || sentence === null) {
    return templates.fill(answer.reason, answer.status, grpc, decisionId);
  }
  return deniedResponse({ ...answer, grpc, verbose, sentence }, decisionId);
}

const statusOk = Buffer.from([0x0a, 0x00]);

function writeAllow(writer: ReverseWriter, outcome: CheckOutcome): void {
  const identity = identityOf(outcome);
  const mark = writer.length;
  writer.bytes(removalBlock(identity.names, outcome));
  // From the last name to the first.
  writer.bytes(identity.headersAt(outcome.epoch, outcome.revision));
  writeHeaderOption(writer, "x-mesh-iam-decision-id", outcome.decisionId);
  if (identity.accountHeader !== null) writer.bytes(identity.accountHeader);
  writer.delimit(3, mark);
  writer.bytes(statusOk);
}

function identityOf({ principal, answer, decision }: CheckOutcome): PrincipalBlocks {
  if (principal === null) return nobody;
  // In shadow mode a caller who would get 401 is let through, but as nobody (envoy-ext-authz 2.5).
  if (answer.reason === "shadow-mode" && credentialReasons.has(decision.reason)) return nobody;
  return blocksOf(principal);
}

// A service's hidden headers are one frozen array a service, so the usual list is looked up.
const removalsByHidden = new WeakMap<readonly string[], Map<readonly string[], Buffer>>();

function removalBlock(set: readonly string[], outcome: CheckOutcome): Buffer {
  const { removeHeaders, identityHeaderNames } = outcome;
  if (identityHeaderNames.length > 0) {
    return removalEntries(removals(set, removeHeaders, identityHeaderNames));
  }
  let bySet = removalsByHidden.get(removeHeaders);
  if (bySet === undefined) {
    bySet = new Map();
    removalsByHidden.set(removeHeaders, bySet);
  }
  let block = bySet.get(set);
  if (block === undefined) {
    block = removalEntries(removals(set, removeHeaders, identityHeaderNames));
    bySet.set(set, block);
  }
  return block;
}

function removalEntries(names: readonly string[]): Buffer {
  return build((writer) => {
    for (let at = names.length - 1; at >= 0; at--) writer.text(5, names[at] as string);
  });
}
