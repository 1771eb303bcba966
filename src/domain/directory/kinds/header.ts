import type { Place } from "../document-problem.ts";

/** What a document says about itself before its `spec`. */
export interface Header {
  readonly kind: string;
  readonly name: string;
  /** Empty for organization-wide kinds. */
  readonly account: string;
  /** `/` where the kind or the document has none. */
  readonly path: string;
  /** Of the document. */
  readonly place: Place;
  readonly namePlace: Place;
  readonly accountPlace: Place;
}
