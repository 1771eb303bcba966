import type {
  Authentication,
  CredentialRules,
} from "../../../../src/domain/credentials/authenticate.ts";
import type { Denied } from "../../../../src/domain/request/denied.ts";
import type { Reason } from "../../../../src/iam/reason.ts";
import type { Request, World } from "./world.ts";

/**
 * One case of the token corpus (security-and-reliability 3): what a request carries, and how it is
 * answered. `id` is the row of the specification, with the number of the sub-case behind a point.
 */
export interface Row {
  readonly id: string;
  readonly title: string;
  /** The bearer token, or the whole request. Made when the row runs: some are megabytes. */
  readonly token?: () => string;
  readonly request?: () => Request;
  readonly world?: World;
  readonly rules?: Partial<CredentialRules>;
  readonly atMs?: number;
  readonly expect: "accept" | Reason;
  /** A closer look at what was accepted, or at what the outside was told. */
  readonly check?: (result: Authentication | Denied, world: World) => void;
}
