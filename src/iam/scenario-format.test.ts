import { expect, test } from "vitest";
import type { PolicyLayers, RequestContext } from "./request-context.ts";
import { parseScenario } from "./scenario.ts";
import { formatScenario, type PolicyAsText } from "./scenario-format.ts";

const a = "111111111111";
const document = `{
  "Version": "2012-10-17",
  "Statement": [ { "Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::bkt/\\n*" } ]
}`;
const resourceDocument = document.replace('"Action"', '"Principal": "*", "Action"');
const tags = new Map([["__proto__", "x"]]);

const none: PolicyLayers<PolicyAsText> = {
  identity: [],
  resource: null,
  permissionsBoundary: null,
  session: null,
  serviceControl: null,
  resourceControl: null,
};

const base: RequestContext = {
  principal: { type: "anonymous" },
  action: "s3:GetObject",
  resource: {
    arn: { partition: "aws", service: "s3", region: "", account: "", resource: "bkt/a:b\u2028" },
    account: a,
    class: "owner-delegates",
  },
  principalOrganization: null,
  resourceOrganization: null,
  keys: new Map(),
  faults: null,
  nowMs: 1_795_478_400_123,
};

const organization = {
  id: "o-1",
  managementAccount: "999999999999",
  path: "o-1/r-1/",
  serviceControlEnabled: false,
};

const questions: readonly { why: string; context: RequestContext }[] = [
  { why: "anonymous", context: base },
  {
    why: "root, in an organization",
    context: {
      ...base,
      principal: { type: "root", account: a, arn: `arn:aws:iam::${a}:root` },
      principalOrganization: organization,
      resourceOrganization: { ...organization, managementAccount: null, path: null },
    },
  },
  {
    why: "a user with id and tags, on the pseudo-resource",
    context: {
      ...base,
      principal: {
        type: "user",
        account: a,
        arn: `arn:aws:iam::${a}:user/team/bob`,
        name: "bob",
        id: "AIDA1",
        tags,
      },
      resource: { arn: null, account: a, class: "ordinary" },
    },
  },
  {
    why: "a workload",
    context: {
      ...base,
      principal: {
        type: "workload",
        account: a,
        arn: `arn:aws:iam::${a}:workload/td/x`,
        id: null,
        tags: new Map(),
      },
    },
  },
  {
    why: "a session of a service-linked role with a path",
    context: {
      ...base,
      principal: {
        type: "assumed-role",
        account: a,
        arn: `arn:aws:sts::${a}:assumed-role/app/s1`,
        roleArn: `arn:aws:iam::${a}:role/team/app`,
        roleName: "app",
        sessionName: "s1",
        id: "AROA1",
        serviceLinked: true,
        tags,
      },
    },
  },
  {
    why: "a federated user made by another",
    context: {
      ...base,
      principal: {
        type: "federated-user",
        account: a,
        arn: `arn:aws:sts::${a}:federated-user/bob`,
        name: "bob",
        userArn: `arn:aws:iam::${a}:user/team/al`,
        userId: null,
        tags: new Map(),
      },
    },
  },
  { why: "a service", context: { ...base, principal: { type: "service", name: "x.svc.mesh" } } },
  {
    why: "a web identity",
    context: { ...base, principal: { type: "web-identity", provider: "p" } },
  },
  { why: "SAML", context: { ...base, principal: { type: "saml", provider: "p" } } },
  { why: "a faulty key", context: { ...base, faults: new Map([["mesh:x", "ambiguous-header"]]) } },
];

test.each(questions)("a question reads back as it was: $why", ({ context }) => {
  const text = formatScenario("row", context, new Map(), none);
  const loaded = parseScenario(text);
  expect(loaded.ok && loaded.value.context).toEqual(context);
  expect(text).not.toMatch(/[\r\n]/);
});

test("condition keys read back with their arity", () => {
  const keys = new Map([
    ["aws:username", { multivalued: false, values: ["a"] }],
    ["aws:tagkeys", { multivalued: true, values: ["a"] }],
    ["mesh:jwtclaim/groups", { multivalued: true, values: [] }],
    ["mesh:jwtclaim/sub", { multivalued: false, values: ["\ud800\n"] }],
    ["aws:principaltag/__proto__", { multivalued: false, values: [""] }],
  ]);
  const loaded = parseScenario(formatScenario("row", base, keys, none));
  expect(loaded.ok && loaded.value.context.keys).toEqual(keys);
});

test("policies read back layer by layer, the unreadable ones too", () => {
  const policy = { id: "p", text: document };
  const lost = { id: "lost", text: null };
  const text = formatScenario("row", base, new Map(), {
    identity: [policy, lost],
    resource: { id: "r", text: resourceDocument },
    permissionsBoundary: policy,
    session: [policy],
    serviceControl: [[policy], []],
    resourceControl: [[], [lost]],
  });
  const loaded = parseScenario(text);
  expect(loaded.ok && loaded.value.layers).toMatchObject({
    identity: [
      { id: "p", document: { version: "2012-10-17" } },
      { id: "lost", document: null },
    ],
    resource: { id: "r", document: { statements: [{ principal: { negated: false } }] } },
    permissionsBoundary: { id: "p" },
    session: [{ id: "p" }],
    serviceControl: [[{ id: "p" }], []],
    resourceControl: [[], [{ id: "lost", document: null }]],
  });
});
