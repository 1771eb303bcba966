import type { PrincipalType } from "../../src/iam/principal.ts";
import type { ResourceClass } from "../../src/iam/request-context.ts";

const types: readonly PrincipalType[] = [
  "anonymous",
  "root",
  "user",
  "workload",
  "assumed-role",
  "federated-user",
  "service",
  "web-identity",
  "saml",
];
const classes: readonly ResourceClass[] = ["ordinary", "role-trust", "owner-delegates"];
const booleans = [false, true];

/** What a grant function is asked, whatever it calls the levels of a resource policy. */
export interface GrantInput<Level> {
  readonly type: PrincipalType;
  readonly same: boolean;
  readonly class: ResourceClass;
  readonly resource: Level;
  readonly identity: boolean;
  readonly boundary: boolean;
  readonly session: boolean;
}

/** Returns every input there is with `levels` of the resource policy. */
export function grantInputs<Level>(levels: readonly Level[]): readonly GrantInput<Level>[] {
  return types.flatMap((type) =>
    booleans.flatMap((same) =>
      classes.flatMap((resourceClass) =>
        levels.flatMap((resource) =>
          booleans.flatMap((identity) =>
            booleans.flatMap((boundary) =>
              booleans.map((session) => ({
                type,
                same,
                class: resourceClass,
                resource,
                identity,
                boundary,
                session,
              })),
            ),
          ),
        ),
      ),
    ),
  );
}
