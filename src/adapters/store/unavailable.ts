import { MeshIamError } from "../../iam/error.ts";

/** `unknown`: COMMIT was sent and no answer came. */
export type Outcome = "not-applied" | "unknown";

/** The store cannot be reached or cannot write. `outcome` says what became of the transaction. */
export class StoreUnavailable extends MeshIamError {
  readonly outcome: Outcome;

  constructor(message: string, outcome: Outcome, options?: ErrorOptions) {
    super("store-unavailable", message, options);
    this.outcome = outcome;
  }
}
