import type { DenialStatus } from "../../domain/request/outcome.ts";
import { type Reason, reasons } from "../../iam/reason.ts";
import { deniedResponse } from "./denial.ts";

/**
 * Holds the denials that differ by nothing but the decision id: one for each reason, status and
 * form, made when first needed. Bounded by the three closed sets.
 */
export class DenialTemplates {
  readonly #verbose: boolean;
  readonly #byReason = new Map<Reason, Map<DenialStatus, Template>[]>();

  constructor(verbose: boolean) {
    this.#verbose = verbose;
    for (const reason of reasons) this.#byReason.set(reason, [new Map(), new Map()]);
  }

  /** Returns the denial with `decisionId` in place. The caller owns the bytes. */
  fill(reason: Reason, status: DenialStatus, grpc: boolean, decisionId: string): Buffer {
    const form = { reason, status, grpc, verbose: this.#verbose, sentence: null };
    const byStatus = this.#byReason.get(reason)?.[grpc ? 1 : 0];
    const template = byStatus?.get(status);
    if (template?.idLength === decisionId.length) return filled(template, decisionId);
    const bytes = deniedResponse(form, decisionId);
    // Only an id that occurs once can be patched; a plain one always does.
    const at = bytes.indexOf(decisionId, 0, "latin1");
    const once = at >= 0 && bytes.indexOf(decisionId, at + 1, "latin1") < 0;
    if (once && plainId.test(decisionId)) {
      byStatus?.set(status, { bytes: Buffer.from(bytes), idAt: at, idLength: decisionId.length });
    }
    return bytes;
  }
}

interface Template {
  readonly bytes: Buffer;
  readonly idAt: number;
  readonly idLength: number;
}

const plainId = /^[0-9A-Za-z-]+$/;

function filled(template: Template, decisionId: string): Buffer {
  const bytes = Buffer.from(template.bytes);
  bytes.write(decisionId, template.idAt, "latin1");
  return bytes;
}
