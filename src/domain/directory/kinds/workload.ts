import { quote } from "../../../iam/problem.ts";
import { parseSpiffeId, type SpiffeId, tableNamespaceOf } from "../../request/spiffe-id.ts";
import { workloadArn } from "../arns.ts";
import type { Place } from "../document-problem.ts";
import { entityName, spiffeId } from "../shape/names.ts";
import { record } from "../shape/record.ts";
import { placed } from "../shape/scalars.ts";
import { required } from "../shape/shape.ts";
import { accountOfNamespace } from "../trust-table.ts";
import { uniqueId } from "../unique-id.ts";
import {
  attachmentMembers,
  principalMembers,
  resolveAttachments,
  resolvePrincipal,
  writeAttachments,
  writePrincipal,
} from "./attachments.ts";
import { defineKind } from "./kind.ts";
import { namesById } from "./references.ts";
import type { World } from "./world.ts";

/** `Workload`: optional, since a SPIFFE identity exists by being proven (PRIN-9). */
export const workloadKind = defineKind({
  kind: "Workload",
  summary:
    "Gives a SPIFFE identity policies, tags or a boundary, or disables it. Identities exist without: their account comes from the `TrustDomain`.",
  scope: "account",
  name: entityName(128),
  hasPath: false,
  spec: record({
    spiffeId: required(
      placed(spiffeId),
      "The identity. It must be of the account that the trust domain's table gives it.",
    ),
    ...attachmentMembers,
    ...principalMembers,
  }),
  resolve: (header, spec, world) => {
    const { account, name } = header;
    const { quotas } = world;
    const id = spec.spiffeId.value;
    const parsed = parseSpiffeId(id);
    if (!parsed.ok) return; // the shape accepts none of these
    const { trustDomain, path } = parsed.value;
    const arn = workloadArn(world.partition, account, trustDomain, path);
    world.claim("SPIFFE id", id, spec.spiffeId.place);
    checkAccount(world, account, parsed.value, spec.spiffeId.place);
    world.draft.workloads.push({
      id: uniqueId("Workload", account, name),
      account,
      name,
      arn,
      spiffeId: id,
      ...resolveAttachments(world, header, spec, arn, {
        managedPolicies: quotas.managedPoliciesPerWorkload,
        inlineCharacters: quotas.workloadInlineCharacters,
      }),
      ...resolvePrincipal(world, header, spec),
    });
  },
  write: (directory) => {
    const policyName = namesById(directory.managedPolicies);
    return directory.workloads.map((workload) => ({
      metadata: { name: workload.name, account: workload.account },
      spec: {
        spiffeId: workload.spiffeId,
        ...writeAttachments(workload, policyName),
        ...writePrincipal(workload, policyName),
      },
    }));
  },
});

/** Reports a workload that stands in another account than its SPIFFE id is of (FILE-22). */
function checkAccount(world: World, account: string, id: SpiffeId, place: Place): void {
  const { trustDomain } = id;
  const table = world.trustTables.get(trustDomain);
  if (table === undefined) {
    if (world.find("TrustDomain", "", trustDomain) !== undefined) return; // unreadable, reported there
    const message = `unknown trust domain ${quote(trustDomain)}: expected a TrustDomain document`;
    world.refuse(place, "UNKNOWN_REFERENCE", message);
    return;
  }
  const owner = accountOfNamespace(table, tableNamespaceOf(id));
  if (owner === account) return;
  const of = owner === null ? "no account" : `account ${quote(owner)}`;
  const message = `expected a SPIFFE id of account ${quote(account)}, got one of ${of}`;
  world.refuse(place, "CONFLICT", message);
}
