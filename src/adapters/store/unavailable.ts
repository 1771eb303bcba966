import { MeshIamError } from "../../iam/error.ts";

/** `unknown`: COMMIT was sent and no answer came. */
export type Outcome = "not-applied" | "unknown";

/** The store cannot be reached or cannot write. `outcome` says what became of the transaction. */
export class StoreUnavailable extends MeshIamError {
  readonly outcome: Outcome;

  constructor(message: string, outcome: Outcome, options?: ErrorOptions) {
    const doubt = outcome === "unknown" ? "; whether the change was applied is not known" : "";
    super("store-unavailable", message + doubt, options);
    this.outcome = outcome;
  }
}
