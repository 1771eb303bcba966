import { expect, test } from "vitest";
import {
  allowRead,
  createOrganization,
  partner,
  policyOf,
  shop,
} from "../../../../test/fakes/organization.ts";
import { directoryOf } from "../state/directory-of.ts";

const policyArn = `arn:aws:iam::${shop}:policy/read`;
const allowWrite = policyOf({ Effect: "Allow", Action: "orders:*", Resource: "*" });

function withPolicy() {
  const org = createOrganization();
  org.call("iam:CreatePolicy", { policyName: "read", policyDocument: allowRead });
  return org;
}

const refusals: readonly [string, object, string][] = [
  ["CreatePolicy", { policyName: "READ", policyDocument: allowRead }, "EntityAlreadyExists"],
  ["CreatePolicy", { policyName: "x", policyDocument: "no" }, "MalformedPolicyDocument"],
  [
    "CreatePolicy",
    {
      policyName: "x",
      policyDocument: policyOf({
        Effect: "Allow",
        Action: "orders:*",
        Resource: `arn:aws:orders:::${"x".repeat(6_144)}`,
      }),
    },
    "LimitExceeded",
  ],
  [
    "CreatePolicyVersion",
    { policyArn: `${policyArn}x`, policyDocument: allowRead },
    "NoSuchEntity",
  ],
  ["SetDefaultPolicyVersion", { policyArn, versionId: "v9" }, "NoSuchEntity"],
  ["SetDefaultPolicyVersion", { policyArn, versionId: "nine" }, "ValidationError"],
  ["DeletePolicyVersion", { policyArn, versionId: "v1" }, "DeleteConflict"],
  ["DeletePolicyVersion", { policyArn, versionId: "v9" }, "NoSuchEntity"],
  ["GetPolicyVersion", { policyArn, versionId: "v9" }, "NoSuchEntity"],
];

test.each(refusals)("%s %j is %s", (name, input, code) => {
  expect(withPolicy().try(`iam:${name}`, input)).toMatchObject({ code });
});

test("a policy has five versions, one of them in force; numbers are not used again", () => {
  const org = withPolicy();
  const inForce = () => directoryOf(org.replica).managedPolicies[0]?.policy.text;
  const version = { policyArn, policyDocument: allowWrite };
  org.call("iam:CreatePolicyVersion", version);
  expect(inForce()).toBe(allowRead);
  org.call("iam:CreatePolicyVersion", { ...version, setAsDefault: true });
  expect(inForce()).toBe(allowWrite);
  org.call("iam:CreatePolicyVersion", version);
  org.call("iam:CreatePolicyVersion", version);
  expect(org.try("iam:CreatePolicyVersion", version)).toMatchObject({ code: "LimitExceeded" });
  org.call("iam:DeletePolicyVersion", { policyArn, versionId: "v5" });
  expect(org.call("iam:CreatePolicyVersion", version)).toMatchObject({
    policyVersion: { versionId: "v6", isDefaultVersion: false },
  });
  org.call("iam:SetDefaultPolicyVersion", { policyArn, versionId: "v1" });
  expect(inForce()).toBe(allowRead);
  expect(org.try("iam:DeletePolicy", { policyArn })).toMatchObject({ code: "DeleteConflict" });
  for (const versionId of ["v2", "v3", "v4", "v6"]) {
    org.call("iam:DeletePolicyVersion", { policyArn, versionId });
  }
  org.call("iam:DeletePolicy", { policyArn });
});

test("a policy counts where it is attached and where it bounds", () => {
  const org = withPolicy();
  org.call("iam:CreateUser", { userName: "a", permissionsBoundary: policyArn });
  org.call("iam:AttachUserPolicy", { userName: "a", policyArn });
  org.call("iam:CreateUser", { userName: "b" });
  org.call("iam:AttachUserPolicy", { userName: "b", policyArn });
  expect(org.call("iam:GetPolicy", { policyArn })).toMatchObject({
    policy: { attachmentCount: 2, permissionsBoundaryUsageCount: 1, defaultVersionId: "v1" },
  });
});

/** A set with an inline policy, two users in a group, one beside it. */
function withSet() {
  const org = withPolicy();
  for (const userName of ["ann", "bob", "cid"]) org.call("iam:CreateUser", { userName });
  org.call("iam:CreateGroup", { groupName: "auditors" });
  org.call("iam:AddUserToGroup", { groupName: "auditors", userName: "ann" });
  const made = org.call("sso:CreatePermissionSet", { name: "auditor", sessionDuration: "PT4H" });
  const { permissionSetArn } = made.permissionSet as unknown as { permissionSetArn: string };
  org.call("sso:PutInlinePolicyToPermissionSet", { permissionSetArn, inlinePolicy: allowRead });
  return { org, permissionSetArn };
}

const toGroup = {
  principalType: "GROUP",
  principalId: `arn:aws:iam::${shop}:group/auditors`,
  targetType: "AWS_ACCOUNT",
  targetId: partner,
};
const toUser = { ...toGroup, principalType: "USER", principalId: `arn:aws:iam::${shop}:user/cid` };

function trusted(org: ReturnType<typeof createOrganization>): unknown {
  const role = directoryOf(org.replica).roles.find(({ account }) => account === partner);
  if (role === undefined) return null;
  const { Statement } = JSON.parse(role.trustPolicy.text);
  return Statement[0].Effect === "Deny" ? [] : Statement[0].Principal.AWS;
}

const userArn = (name: string) => `arn:aws:iam::${shop}:user/${name}`;

test("an assignment makes a role under the reserved path that trusts who is assigned", () => {
  const { org, permissionSetArn } = withSet();
  org.call("sso:CreateAccountAssignment", { permissionSetArn, ...toGroup });
  const [role] = directoryOf(org.replica).roles;
  expect(role).toMatchObject({
    account: partner,
    path: "/aws-reserved/sso.amazonaws.com/",
    maxSessionSeconds: 14_400,
    inlinePolicies: [{ text: allowRead }],
  });
  expect(role?.name).toMatch(/^AWSReservedSSO_auditor_[0-9a-f]{16}$/);
  expect(trusted(org)).toEqual([userArn("ann")]);
});

test("the role follows its group, its assignments and its set, in the same commit", () => {
  const { org, permissionSetArn } = withSet();
  org.call("sso:CreateAccountAssignment", { permissionSetArn, ...toGroup });
  const before = directoryOf(org.replica).roles[0]?.id;
  org.call("iam:AddUserToGroup", { groupName: "auditors", userName: "bob" });
  expect(trusted(org)).toEqual([userArn("ann"), userArn("bob")]);
  org.call("sso:CreateAccountAssignment", { permissionSetArn, ...toUser });
  expect(trusted(org)).toEqual([userArn("ann"), userArn("bob"), userArn("cid")]);
  org.call("iam:UpdateUser", { userName: "cid", newUserName: "cyd" });
  expect(trusted(org)).toEqual([userArn("ann"), userArn("bob"), userArn("cyd")]);
  org.call("iam:RemoveUserFromGroup", { groupName: "auditors", userName: "ann" });
  org.call("iam:RemoveUserFromGroup", { groupName: "auditors", userName: "bob" });
  const renamed = { ...toUser, principalId: userArn("cyd") };
  org.call("sso:DeleteAccountAssignment", { permissionSetArn, ...renamed });
  expect(trusted(org)).toEqual([]);
  org.call("sso:UpdatePermissionSet", { permissionSetArn, sessionDuration: "PT2H" });
  org.call("sso:DeleteInlinePolicyFromPermissionSet", { permissionSetArn });
  const [role] = directoryOf(org.replica).roles;
  expect(role).toMatchObject({ id: before, maxSessionSeconds: 7_200, inlinePolicies: [] });
  org.call("sso:DeleteAccountAssignment", { permissionSetArn, ...toGroup });
  expect(trusted(org)).toBeNull();
  org.call("sso:DeletePermissionSet", { permissionSetArn });
});

test("a set's managed policies and boundary are those of each account", () => {
  const { org, permissionSetArn } = withSet();
  const customerManagedPolicyReference = { name: "read" };
  const attach = { permissionSetArn, customerManagedPolicyReference };
  const name = "sso:AttachCustomerManagedPolicyReferenceToPermissionSet";
  org.call(name, attach);
  expect(org.try("sso:CreateAccountAssignment", { permissionSetArn, ...toUser })).toMatchObject({
    code: "NoSuchEntity",
  });
  org.call("iam:CreatePolicy", { account: partner, policyName: "read", policyDocument: allowRead });
  org.call("sso:CreateAccountAssignment", { permissionSetArn, ...toUser });
  const bounded = { permissionSetArn, permissionsBoundary: { customerManagedPolicyReference } };
  org.call("sso:PutPermissionsBoundaryToPermissionSet", bounded);
  const theirs = `arn:aws:iam::${partner}:policy/read`;
  const id = directoryOf(org.replica).managedPolicies.find(({ arn }) => arn === theirs)?.id;
  const [role] = directoryOf(org.replica).roles;
  expect(role).toMatchObject({ attachedPolicyIds: [id], permissionsBoundaryId: id });
  expect(org.try("iam:DeletePolicy", { policyArn: theirs })).toMatchObject({
    code: "DeleteConflict",
  });
  org.call(name.replace("Attach", "Detach").replace("ToPerm", "FromPerm"), attach);
  org.call("sso:DeletePermissionsBoundaryFromPermissionSet", { permissionSetArn });
  org.call("iam:DeletePolicy", { policyArn: theirs });
});

test("nobody but the control plane changes a provisioned role", () => {
  const { org, permissionSetArn } = withSet();
  org.call("sso:CreateAccountAssignment", { permissionSetArn, ...toUser });
  const roleName = directoryOf(org.replica).roles[0]?.name;
  const role = { account: partner, roleName };
  expect(org.try("iam:DeleteRole", role)).toMatchObject({ code: "UnmodifiableEntity" });
  expect(org.try("iam:TagRole", { ...role, tags: { a: "b" } })).toMatchObject({
    code: "UnmodifiableEntity",
  });
  org.call("mesh-iam:RevokeRoleSessions", role);
  org.call("iam:GetRole", role);
});

const setRefusals: readonly [string, object, string][] = [
  ["CreatePermissionSet", { name: "AUDITOR" }, "EntityAlreadyExists"],
  ["CreatePermissionSet", { name: "x", sessionDuration: "PT13H" }, "ValidationError"],
  ["DeletePermissionSet", {}, "DeleteConflict"],
  ["DeletePermissionsBoundaryFromPermissionSet", {}, "NoSuchEntity"],
  [
    "DetachCustomerManagedPolicyReferenceFromPermissionSet",
    { customerManagedPolicyReference: { name: "x" } },
    "NoSuchEntity",
  ],
  ["PutInlinePolicyToPermissionSet", { inlinePolicy: "x" }, "MalformedPolicyDocument"],
  ["CreateAccountAssignment", toUser, "EntityAlreadyExists"],
  ["CreateAccountAssignment", { ...toUser, principalType: "GROUP" }, "NoSuchEntity"],
  ["CreateAccountAssignment", { ...toUser, targetId: "123412341234" }, "NoSuchEntity"],
  ["DeleteAccountAssignment", toGroup, "NoSuchEntity"],
];

test.each(setRefusals)("%s %j is %s", (name, input, code) => {
  const { org, permissionSetArn } = withSet();
  org.call("sso:CreateAccountAssignment", { permissionSetArn, ...toUser });
  const set = name === "CreatePermissionSet" ? {} : { permissionSetArn };
  expect(org.try(`sso:${name}`, { ...set, ...input })).toMatchObject({ code });
  expect(org.try("iam:DeleteUser", { userName: "cid" })).toMatchObject({ code: "DeleteConflict" });
});
