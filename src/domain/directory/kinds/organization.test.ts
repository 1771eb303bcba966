import { expect, test } from "vitest";
import {
  A,
  inOrganization,
  management,
  organization,
  read,
  refusals,
  several,
  wide,
} from "../../../../test/fakes/document-texts.ts";

test.each([
  {
    why: "two organizations",
    text: several(organization, organization.replace("acme", "other"), management),
    want: [
      "a.yaml:9:19 Organization/other metadata.name: `other` is the same object as Organization/acme at a.yaml:3:19",
    ],
  },
  {
    why: "an OU without organization",
    text: wide("OrganizationalUnit", "prod", "parentId: /"),
    want: ["a.yaml:5:13 OrganizationalUnit/prod spec.parentId: `/` needs an Organization document"],
  },
  {
    why: "an OU under an unknown one",
    text: inOrganization(wide("OrganizationalUnit", "eu", "parentId: /prod")),
    want: ["a.yaml:5:13 OrganizationalUnit/eu spec.parentId: unknown organizational unit `/prod`"],
  },
  {
    why: "an OU under a misspelled one",
    text: inOrganization(
      wide("OrganizationalUnit", "prod", "parentId: /"),
      wide("OrganizationalUnit", "eu", "parentId: /prood"),
    ),
    want: [
      "a.yaml:11:13 OrganizationalUnit/eu spec.parentId: unknown organizational unit `/prood`, did you mean `/prod`?",
    ],
  },
  {
    why: "two OUs of one name under one parent",
    text: inOrganization(
      wide("OrganizationalUnit", "prod", "parentId: /"),
      wide("OrganizationalUnit", "Prod", "parentId: /"),
    ),
    want: [
      "a.yaml:9:19 OrganizationalUnit/Prod metadata.name: `Prod` is the same object as OrganizationalUnit/prod at a.yaml:3:19",
    ],
  },
  {
    why: "an OU with a slash in its name",
    text: inOrganization(wide("OrganizationalUnit", "a/b", "parentId: /")),
    want: [
      "a.yaml:3:19 OrganizationalUnit/a/b metadata.name: expected a name of 1 to 128 characters without slashes or control characters, got the text `a/b`",
    ],
  },
  {
    why: "six OUs inside each other",
    text: inOrganization(
      ...["/", "/a", "/a/a", "/a/a/a", "/a/a/a/a", "/a/a/a/a/a"].map((p) =>
        wide("OrganizationalUnit", "a", `parentId: ${p}`),
      ),
    ),
    want: [
      "a.yaml:35:13 OrganizationalUnit/a spec.parentId: expected units nested at most 5 deep, got 6",
    ],
  },
  {
    why: "one id of two OUs",
    text: inOrganization(
      wide("OrganizationalUnit", "a", "parentId: /\nid: ou-acme-prod00001"),
      wide("OrganizationalUnit", "b", "parentId: /\nid: ou-acme-prod00001"),
    ),
    want: [
      "a.yaml:10:19 OrganizationalUnit/b metadata.name: the organizational unit id `ou-acme-prod00001` is already that of OrganizationalUnit/a at a.yaml:3:19",
    ],
  },
  {
    why: "one id of two accounts",
    text: inOrganization(wide("Account", "other", `accountId: "${A}"`)),
    want: [
      `a.yaml:23:14 Account/shop spec.accountId: the account id \`${A}\` is already that of Account/other at a.yaml:5:14`,
    ],
  },
  {
    why: "an account in an unknown OU",
    text: several(
      organization,
      management,
      wide("Account", "shop", `accountId: "${A}"\nparentIds: [/x]`),
    ),
    want: ["a.yaml:18:15 Account/shop spec.parentIds[0]: unknown organizational unit `/x`"],
  },
  {
    why: "an account in two places",
    text: several(
      organization,
      management,
      wide("Account", "shop", `accountId: "${A}"\nparentIds: [/, /]`),
    ),
    want: ["a.yaml:18:14 Account/shop spec.parentIds: expected a list of 1, got 2"],
  },
  {
    why: "a management account without document",
    text: several(organization),
    want: [
      "a.yaml:5:24 Organization/acme spec.managementAccountId: unknown account `999988887777`: expected an Account document for it",
    ],
  },
  {
    why: "an SCP without organization",
    text: wide("ServiceControlPolicy", "s", `content: ${read}`),
    want: [
      "a.yaml:1:1 ServiceControlPolicy/s: a ServiceControlPolicy needs an Organization document",
    ],
  },
  {
    why: "an SCP without content",
    text: inOrganization(wide("ServiceControlPolicy", "s", `targetIds: [/]`)),
    want: ["a.yaml:1:1 ServiceControlPolicy/s: expected the member `content`"],
  },
  {
    why: "a target that is no path",
    text: inOrganization(wide("ServiceControlPolicy", "s", `targetIds: [prod]\ncontent: ${read}`)),
    want: [
      "a.yaml:5:15 ServiceControlPolicy/s spec.targetIds[0]: expected `/`, the path of an OU, or an account id, got the text `prod`",
    ],
  },
  {
    why: "a target that is an unknown account",
    text: inOrganization(
      wide("ServiceControlPolicy", "s", `targetIds: ["444455556666"]\ncontent: ${read}`),
    ),
    want: [
      "a.yaml:5:15 ServiceControlPolicy/s spec.targetIds[0]: unknown account `444455556666`: expected an Account document for it",
    ],
  },
  {
    why: "FILE-25, FullAWSAccess with content",
    text: inOrganization(
      wide("ServiceControlPolicy", "FullAWSAccess", `targetIds: [/]\ncontent: ${read}`),
    ),
    want: [
      "a.yaml:6:12 ServiceControlPolicy/FullAWSAccess spec.content: `FullAWSAccess` is built in: its document says only where it is attached",
    ],
  },
  {
    why: "FILE-25, FullAWSAccess in other case",
    text: inOrganization(wide("ServiceControlPolicy", "fullawsaccess", `targetIds: [/]`)),
    want: [
      "a.yaml:3:19 ServiceControlPolicy/fullawsaccess metadata.name: expected `FullAWSAccess`, got `fullawsaccess`",
    ],
  },
  {
    why: "FILE-25, a document for RCPFullAWSAccess",
    text: inOrganization(wide("ResourceControlPolicy", "RCPFullAWSAccess", `targetIds: [/]`)),
    want: [
      "a.yaml:3:19 ResourceControlPolicy/RCPFullAWSAccess metadata.name: `RCPFullAWSAccess` is built in and has no document",
    ],
  },
  {
    why: "ten SCPs beside FullAWSAccess",
    text: inOrganization(
      ...Array.from({ length: 10 }, (_, i) =>
        wide("ServiceControlPolicy", `s${i}`, `targetIds: [/]\ncontent: ${read}`),
      ),
    ),
    want: [
      "a.yaml:64:1 ServiceControlPolicy/s9: expected at most 9 policies attached to `/`, built-in ones not counted",
    ],
  },
  {
    why: "five RCPs beside RCPFullAWSAccess",
    text: inOrganization(
      ...Array.from({ length: 5 }, (_, i) =>
        wide(
          "ResourceControlPolicy",
          `r${i}`,
          `targetIds: [/]\ncontent: { Version: "2012-10-17", Statement: [{ Effect: Deny, Principal: "*", Action: "a:Get", Resource: "*" }] }`,
        ),
      ),
    ),
    want: [
      "a.yaml:29:1 ResourceControlPolicy/r4: expected at most 4 policies attached to `/`, built-in ones not counted",
    ],
  },
])("$why is refused", ({ text, want }) => {
  expect(refusals(text)).toEqual(want);
});
