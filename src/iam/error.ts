import type { ErrorCode } from "./reason.ts";

/**
 * The one exception class: a broken environment or a broken caller. Expected outcomes (a denial, an
 * invalid document) are values, not exceptions. `cause` keeps the original failure for the log; it
 * never reaches a caller over the network.
 */
export class MeshIamError extends Error {
  override readonly name = "MeshIamError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Returns `reason` itself if it is ours, otherwise `internal` with `reason` as its cause. */
  static from(reason: unknown): MeshIamError {
    if (reason instanceof MeshIamError) return reason;
    return new MeshIamError("internal", "unexpected failure", { cause: reason });
  }
}
