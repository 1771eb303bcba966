import { accountId, displayName } from "../shape/names.ts";
import { record } from "../shape/record.ts";
import { placed, text } from "../shape/scalars.ts";
import { optional, required } from "../shape/shape.ts";
import { rootIdOf, uniqueId } from "../unique-id.ts";
import { defineKind } from "./kind.ts";

const organizationId = text("an organization id like `o-acme123456`", /^o-[a-z0-9]{10,32}$/, 34);
const rootId = text("a root id like `r-ab12`", /^r-[a-z0-9]{4,32}$/, 34);

/** `Organization`: at most one a run; without it every account stands alone (FILE-10). */
export const organizationKind = defineKind({
  kind: "Organization",
  summary:
    "The organization: the root of the tree that accounts, SCPs and RCPs hang on. At most one; without it every account that is named exists and is in no organization.",
  scope: "organization",
  name: displayName,
  hasPath: false,
  spec: record({
    managementAccountId: required(
      placed(accountId),
      "The account that owns the organization. SCPs do not bind its principals, RCPs not its resources.",
    ),
    id: optional(
      organizationId,
      null,
      "`aws:PrincipalOrgID`. Absent: derived from the name; a control plane makes one.",
    ),
    rootId: optional(
      rootId,
      null,
      "The first step of `aws:PrincipalOrgPaths`. Absent: derived likewise.",
    ),
  }),
  key: () => "",
  declare: (header, spec, world) => {
    const id = spec.id ?? uniqueId("Organization", "", header.name);
    world.useAccount(spec.managementAccountId.value, spec.managementAccountId.place);
    world.organization = {
      id,
      rootId: spec.rootId ?? rootIdOf(id),
      name: header.name,
      managementAccountId: spec.managementAccountId.value,
    };
  },
  resolve: () => {},
  write: ({ organization }) => {
    if (organization === null) return [];
    const { id, rootId: root, name, managementAccountId } = organization;
    return [{ metadata: { name }, spec: { managementAccountId, id, rootId: root } }];
  },
});
