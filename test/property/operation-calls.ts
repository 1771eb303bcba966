import fc from "fast-check";
import { isRefused } from "../../src/domain/directory/operations/refusal.ts";
import {
  allowRead,
  createOrganization,
  denyAll,
  type FakeOrganization,
  partner,
  policyOf,
  shop,
} from "../fakes/organization.ts";

/** Calls of operations, most of them on few names so that they meet. */
const account = fc.constantFrom(shop, partner);
const name = fc.constantFrom("a", "b", "A");
const policyName = fc.constantFrom("p", "q");
const document = fc.constantFrom(allowRead, denyAll);
const spiffeId = fc.constantFrom("a", "b").map((sa) => `spiffe://td/ns/shop/sa/${sa}`);
const policyArn = fc
  .tuple(account, policyName)
  .map(([owner, one]) => `arn:aws:iam::${owner}:policy/${one}`);
const tags = fc.constantFrom({ team: "blue" }, { Team: "red", x: "" });
const active = fc.constantFrom("active", "disabled");
const target = fc.constantFrom("r-acme", "ou-acme-prod00001", shop, partner);
const trust = fc.tuple(account, fc.constantFrom("user/a", "role/b", "root")).map(([owner, who]) =>
  policyOf({
    Effect: "Allow",
    Principal: { AWS: `arn:aws:iam::${owner}:${who}` },
    Action: "sts:AssumeRole",
  }),
);

const subjects = {
  User: { account, userName: name },
  Group: { account, groupName: name },
  Role: { account, roleName: name },
  Workload: { account: fc.constant(shop), spiffeId },
};
const serviceOf = (title: string) => (title === "Workload" ? "mesh-iam" : "iam");

type Members = Readonly<Record<string, fc.Arbitrary<unknown>>>;
const calls: [string, Members][] = [];
for (const [title, subject] of Object.entries(subjects)) {
  const iam = serviceOf(title);
  calls.push(
    [`${iam}:Delete${title}`, subject],
    [`${iam}:Attach${title}Policy`, { ...subject, policyArn }],
    [`${iam}:Attach${title}Policy`, { ...subject, policyArn }],
    [`${iam}:Detach${title}Policy`, { ...subject, policyArn }],
    [`${iam}:Put${title}Policy`, { ...subject, policyName, policyDocument: document }],
    [`${iam}:Delete${title}Policy`, { ...subject, policyName }],
  );
  if (title === "Group") continue;
  calls.push(
    [`${iam}:Put${title}PermissionsBoundary`, { ...subject, permissionsBoundary: policyArn }],
    [`${iam}:Delete${title}PermissionsBoundary`, subject],
    [`${iam}:Tag${title}`, { ...subject, tags }],
    [`${iam}:Update${title}`, { ...subject, state: active }],
    [`mesh-iam:Revoke${title}Sessions`, subject],
  );
}
const setArn = fc.constant("arn:aws:sso:::permissionSet/o-acme123456/ps-unknown");
const membership = { account, groupName: name, userName: name };
calls.push(
  ["iam:CreateUser", { account, userName: name, tags }],
  ["iam:CreateUser", { account, userName: name }],
  ["iam:UpdateUser", { account, userName: name, newUserName: name, newPath: fc.constant("/x/") }],
  ["iam:CreateGroup", { account, groupName: name }],
  ["iam:UpdateGroup", { account, groupName: name, newGroupName: name }],
  ["iam:AddUserToGroup", membership],
  ["iam:AddUserToGroup", membership],
  ["iam:RemoveUserFromGroup", membership],
  ["iam:CreateRole", { account, roleName: name, assumeRolePolicyDocument: trust }],
  ["iam:UpdateAssumeRolePolicy", { account, roleName: name, policyDocument: trust }],
  ["mesh-iam:CreateWorkload", { account: fc.constant(shop), spiffeId, name }],
  ["iam:CreatePolicy", { account, policyName, policyDocument: document }],
  ["iam:CreatePolicyVersion", { policyArn, policyDocument: document, setAsDefault: fc.boolean() }],
  ["iam:DeletePolicyVersion", { policyArn, versionId: fc.constantFrom("v1", "v2") }],
  ["iam:DeletePolicy", { policyArn }],
  ["sso:CreatePermissionSet", { name: fc.constantFrom("s", "S") }],
  ["sso:DeletePermissionSet", { permissionSetArn: setArn }],
  ["organizations:AttachPolicy", { policyId: fc.constant("p-FullAWSAccess"), targetId: target }],
  ["organizations:DetachPolicy", { policyId: fc.constant("p-FullAWSAccess"), targetId: target }],
  [
    "organizations:CreatePolicy",
    {
      name,
      type: fc.constant("SERVICE_CONTROL_POLICY"),
      content: document,
    },
  ],
  [
    "organizations:CreateOrganizationalUnit",
    { parentId: fc.constantFrom("r-acme", "ou-acme-prod00001"), name },
  ],
  ["organizations:CloseAccount", { accountId: account }],
  [
    "sso:CreateAccountAssignment",
    {
      permissionSetArn: setArn,
      principalType: fc.constant("GROUP"),
      principalId: fc.constantFrom(`arn:aws:iam::${shop}:group/a`, `arn:aws:iam::${shop}:group/b`),
      targetType: fc.constant("AWS_ACCOUNT"),
      targetId: account,
    },
  ],
);

const call = fc.oneof(
  ...calls.map(([operation, members]) =>
    fc.tuple(fc.constant(operation), fc.record(members as Record<string, fc.Arbitrary<unknown>>)),
  ),
);
/** Some calls, one after the other. */
export const sequence = fc.array(call, { minLength: 20, maxLength: 120 });

/** An organization with accounts and a trust domain, for the calls. */
export function started(): FakeOrganization {
  const org = createOrganization();
  org.call("mesh-iam:PutTrustDomain", {
    name: "td",
    accounts: [{ namespace: "shop", account: shop }],
  });
  return org;
}

/** Runs the calls; permission sets are named by the id that they have got. */
export function played(org: FakeOrganization, all: readonly (readonly [string, object])[]): number {
  let accepted = 0;
  for (const [operation, input] of all) {
    const set = org.replica.named("permissionSet", "", "s");
    const permissionSetArn = `arn:aws:sso:::permissionSet/o-acme123456/${set?.id ?? "ps-unknown"}`;
    const known = "permissionSetArn" in input ? { ...input, permissionSetArn } : input;
    if (!isRefused(org.try(operation, known))) accepted++;
  }
  return accepted;
}
