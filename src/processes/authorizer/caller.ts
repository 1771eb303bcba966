import type { MappedPrincipal } from "../../domain/principal/mapped-principal.ts";
import type { WebIdentityTrust } from "../../domain/sts/web-identity-trust.ts";
import type { Rights } from "./rights.ts";

/**
 * A principal of one snapshot: what every Check of one credential shares. The decision cache hangs off
 * its identity, which therefore stands for everything that is fixed by the caller.
 */
export interface Caller {
  readonly mapped: MappedPrincipal;
  /** Shared with all callers that have the same policies. */
  readonly rights: Rights;
  /** Not null: the role's trust is asked on every Check, and no decision is remembered (STS-9). */
  readonly trust: WebIdentityTrust | null;
}
