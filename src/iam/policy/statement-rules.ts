import type { PolicyDocument } from "./document.ts";
import type { LoadLimits } from "./limits.ts";
import type { DocumentType } from "./policy-type.ts";

/** What the readers of a statement's elements need to know of its document. */
export interface StatementRules {
  readonly type: DocumentType;
  readonly version: PolicyDocument["version"];
  readonly limits: LoadLimits;
}
