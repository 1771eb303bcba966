import fc from "fast-check";
import { expect, test } from "vitest";
import {
  deriveKeys,
  formatIsoTime,
  principalKeys,
  resourceKeys,
  timeKeys,
} from "./derived-keys.ts";
import type { Principal } from "./principal.ts";
import type { OrganizationFacts } from "./request-context.ts";

const a = "111111111111";
const organization: OrganizationFacts = {
  id: "o-1",
  managementAccount: "999999999999",
  path: "o-1/r-1/ou-1/",
  serviceControlEnabled: true,
};
const tags = new Map([["Team", "blue"]]);

/** The derived keys as one flat record: a text for a single value, a list for a multivalued key. */
function flat(keys: ReadonlyMap<string, { multivalued: boolean; values: readonly string[] }>) {
  return Object.fromEntries(
    [...keys].map(([key, { multivalued, values }]) => [key, multivalued ? values : values[0]]),
  );
}

const organizationKeys = {
  "aws:principalorgid": "o-1",
  "aws:principalorgpaths": ["o-1/r-1/ou-1/"],
};

const principals: readonly { why: string; principal: Principal; want: object }[] = [
  {
    why: "T-KEY-15 an anonymous caller has a type, a user id and an account, and no ARN",
    principal: { type: "anonymous" },
    want: {
      "aws:principaltype": "Anonymous",
      "aws:userid": "anonymous",
      "aws:principalaccount": "anonymous",
      "aws:viaawsservice": "false",
    },
  },
  {
    why: "root is the account",
    principal: { type: "root", account: a, arn: `arn:aws:iam::${a}:root` },
    want: {
      "aws:principaltype": "Account",
      "aws:principalarn": `arn:aws:iam::${a}:root`,
      "aws:principalaccount": a,
      "aws:userid": a,
      "aws:principalisawsservice": "false",
      "aws:viaawsservice": "false",
      ...organizationKeys,
    },
  },
  {
    why: "only an IAM user has a user name",
    principal: {
      type: "user",
      account: a,
      arn: `arn:aws:iam::${a}:user/team/bob`,
      name: "bob",
      id: "AIDABOB",
      tags,
    },
    want: {
      "aws:principaltype": "User",
      "aws:principalarn": `arn:aws:iam::${a}:user/team/bob`,
      "aws:principalaccount": a,
      "aws:userid": "AIDABOB",
      "aws:username": "bob",
      "aws:principaltag/team": "blue",
      "aws:principalisawsservice": "false",
      "aws:viaawsservice": "false",
      ...organizationKeys,
    },
  },
  {
    why: "T-KEY-16 a session names the role with its path",
    principal: {
      type: "assumed-role",
      account: a,
      arn: `arn:aws:sts::${a}:assumed-role/app/sess1`,
      roleArn: `arn:aws:iam::${a}:role/team/app`,
      roleName: "app",
      sessionName: "sess1",
      id: "AROAAPP",
      serviceLinked: false,
      tags,
    },
    want: {
      "aws:principaltype": "AssumedRole",
      "aws:principalarn": `arn:aws:iam::${a}:role/team/app`,
      "aws:principalaccount": a,
      "aws:userid": "AROAAPP:sess1",
      "aws:multifactorauthpresent": "false",
      "aws:principaltag/team": "blue",
      "aws:principalisawsservice": "false",
      "aws:viaawsservice": "false",
      ...organizationKeys,
    },
  },
  {
    why: "a session of a role without a known id has no user id",
    principal: {
      type: "assumed-role",
      account: a,
      arn: `arn:aws:sts::${a}:assumed-role/app/sess1`,
      roleArn: `arn:aws:iam::${a}:role/app`,
      roleName: "app",
      sessionName: "sess1",
      id: null,
      serviceLinked: false,
      tags: new Map(),
    },
    want: {
      "aws:principaltype": "AssumedRole",
      "aws:principalarn": `arn:aws:iam::${a}:role/app`,
      "aws:principalaccount": a,
      "aws:multifactorauthpresent": "false",
      "aws:principalisawsservice": "false",
      "aws:viaawsservice": "false",
      ...organizationKeys,
    },
  },
  {
    why: "a federated session is its account and name",
    principal: {
      type: "federated-user",
      account: a,
      arn: `arn:aws:sts::${a}:federated-user/bob`,
      name: "bob",
      userArn: `arn:aws:iam::${a}:user/bob`,
      userId: "AIDABOB",
      tags: new Map(),
    },
    want: {
      "aws:principaltype": "FederatedUser",
      "aws:principalarn": `arn:aws:sts::${a}:federated-user/bob`,
      "aws:principalaccount": a,
      "aws:userid": `${a}:bob`,
      "aws:multifactorauthpresent": "false",
      "aws:principalisawsservice": "false",
      "aws:viaawsservice": "false",
      ...organizationKeys,
    },
  },
  {
    why: "a workload's user id is its SPIFFE id",
    principal: {
      type: "workload",
      account: a,
      arn: `arn:aws:iam::${a}:workload/td/ns/x/sa/y`,
      id: null,
      tags: new Map(),
    },
    want: {
      "aws:principaltype": "Workload",
      "aws:principalarn": `arn:aws:iam::${a}:workload/td/ns/x/sa/y`,
      "aws:principalaccount": a,
      "aws:userid": "spiffe://td/ns/x/sa/y",
      "aws:principalisawsservice": "false",
      "aws:viaawsservice": "false",
      ...organizationKeys,
    },
  },
  {
    why: "a service has its names and no account",
    principal: { type: "service", name: "gateway.svc.mesh" },
    want: {
      "aws:principalservicename": "gateway.svc.mesh",
      "aws:principalservicenameslist": ["gateway.svc.mesh"],
      "aws:principalisawsservice": "true",
      "aws:viaawsservice": "false",
    },
  },
  {
    why: "a web identity is no AWS service and has no account",
    principal: { type: "web-identity", provider: "arn:aws:iam::1:oidc-provider/idp" },
    want: { "aws:principalisawsservice": "false", "aws:viaawsservice": "false" },
  },
];

test.each(principals)("principal keys: $why", ({ principal, want }) => {
  expect(flat(principalKeys(principal, organization))).toEqual(want);
});

test("a tag key such as `__proto__` is plain data", () => {
  const keys = resourceKeys(
    { arn: null, account: a, class: "ordinary" },
    new Map([["__proto__", "x"]]),
    null,
  );
  expect(keys.get("aws:resourcetag/__proto__")).toEqual({ multivalued: false, values: ["x"] });
});

test("resource keys name owner, organization and tags", () => {
  const keys = resourceKeys({ arn: null, account: a, class: "ordinary" }, tags, organization);
  expect(flat(keys)).toEqual({
    "aws:resourceaccount": a,
    "aws:resourceorgid": "o-1",
    "aws:resourceorgpaths": ["o-1/r-1/ou-1/"],
    "aws:resourcetag/team": "blue",
  });
});

test("a resource without owner and an organization without path leave their keys absent", () => {
  const facts = { ...organization, path: null };
  const keys = resourceKeys({ arn: null, account: null, class: "ordinary" }, new Map(), facts);
  expect(flat(keys)).toEqual({ "aws:resourceorgid": "o-1" });
});

test.each([
  { nowMs: 0, iso: "1970-01-01T00:00:00Z", epoch: "0" },
  { nowMs: 1_795_478_400_000, iso: "2026-11-24T00:00:00Z", epoch: "1795478400" },
  { nowMs: 1_795_478_400_007, iso: "2026-11-24T00:00:00.007Z", epoch: "1795478400.007" },
  { nowMs: 951_782_399_000, iso: "2000-02-28T23:59:59Z", epoch: "951782399" },
  { nowMs: 951_782_400_000, iso: "2000-02-29T00:00:00Z", epoch: "951782400" },
  { nowMs: -1, iso: "1969-12-31T23:59:59.999Z", epoch: "-0.001" },
  { nowMs: 253_402_300_799_999, iso: "9999-12-31T23:59:59.999Z", epoch: "253402300799.999" },
])("$nowMs ms is $iso and $epoch", ({ nowMs, iso, epoch }) => {
  expect(flat(timeKeys(nowMs))).toEqual({ "aws:currenttime": iso, "aws:epochtime": epoch });
});

test("formatted time agrees with the platform's calendar", () => {
  const year1 = Date.parse("0001-01-01T00:00:00Z");
  const year9999 = Date.parse("9999-12-31T23:59:59.999Z");
  fc.assert(
    fc.property(fc.integer({ min: year1, max: year9999 }), (nowMs) => {
      expect(formatIsoTime(nowMs)).toBe(new Date(nowMs).toISOString().replace(".000Z", "Z"));
    }),
  );
});

test("all keys together are the three parts", () => {
  const principal: Principal = { type: "anonymous" };
  const resource = { arn: null, account: a, class: "ordinary" } as const;
  const keys = deriveKeys(principal, resource, tags, null, organization, 0);
  expect(flat(keys)).toEqual({
    ...flat(principalKeys(principal, null)),
    ...flat(resourceKeys(resource, tags, organization)),
    ...flat(timeKeys(0)),
  });
});
