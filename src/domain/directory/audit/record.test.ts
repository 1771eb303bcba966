import { expect, test } from "vitest";
import { type AuditedCall, auditRecord } from "./record.ts";

const call: AuditedCall = {
  eventId: "e",
  requestId: "r",
  atMs: 1_795_510_000_000,
  caller: null,
  service: "iam",
  name: "CreateUser",
  readOnly: false,
  request: { userName: "bob", secret: "canary" },
  secretMembers: ["secret"],
  answer: { user: { userName: "bob" } },
  error: null,
  sourceIp: "10.0.0.7",
  userAgent: "curl",
  account: "111122223333",
  organization: "o-acme123456",
  position: { epoch: 1, revision: 7 },
};

const read = (more: Partial<AuditedCall>) =>
  JSON.parse(new TextDecoder().decode(auditRecord({ ...call, ...more })));

test("AUD-1 a record has CloudTrail's members and its place in the history", () => {
  expect(read({})).toMatchObject({
    eventVersion: "1.11",
    eventTime: "2026-11-24T08:46:40Z",
    eventSource: "iam.amazonaws.com",
    eventName: "CreateUser",
    sourceIPAddress: "10.0.0.7",
    readOnly: false,
    responseElements: { user: { userName: "bob" } },
    recipientAccountId: "111122223333",
    meshIam: { organization: "o-acme123456", epoch: 1, revision: 7 },
  });
});

test("AUD-2 a secret member is in no record", () => {
  const text = new TextDecoder().decode(auditRecord(call));
  expect(text).not.toContain("canary");
  expect(read({}).requestParameters).toEqual({
    userName: "bob",
    secret: "HIDDEN_DUE_TO_SECURITY_REASONS",
  });
});

test("a refused call says why; what a read answered is in no record", () => {
  const error = { code: "AccessDenied", message: "no" };
  expect(read({ error, answer: null })).toMatchObject({
    errorCode: "AccessDenied",
    errorMessage: "no",
    responseElements: null,
  });
  expect(read({ readOnly: true }).responseElements).toBeNull();
});

test("a request of any size makes a bounded record that says how large it was", () => {
  const request = { policyDocument: "x".repeat(100_000) };
  expect(read({ request }).requestParameters).toEqual({ omitted: true, originalSize: 100_021 });
  // Half as many characters, twice as many bytes each.
  const wide = read({ request: { policyDocument: "é".repeat(40_000) } });
  expect(wide.requestParameters).toEqual({ omitted: true, originalSize: 80_021 });
});

test.each([
  {
    principal: { type: "root", account: "1", arn: "arn:aws:iam::1:root" },
    identity: { type: "Root", principalId: "1", accountId: "1" },
  },
  {
    principal: { type: "user", account: "1", arn: "a", name: "bob", id: "AIDA", tags: new Map() },
    identity: { type: "IAMUser", principalId: "AIDA", userName: "bob" },
  },
  {
    principal: {
      type: "assumed-role",
      account: "1",
      arn: "session",
      roleArn: "role",
      roleName: "app",
      sessionName: "s",
      id: "AROA",
      serviceLinked: false,
      tags: new Map(),
    },
    identity: {
      type: "AssumedRole",
      principalId: "AROA:s",
      sessionContext: { sessionIssuer: { type: "Role", arn: "role", userName: "app" } },
    },
  },
] as const)("a $principal.type stands in it as AWS writes it", ({ principal, identity }) => {
  const record = read({ caller: { principal, breakGlass: false } });
  expect(record.userIdentity).toMatchObject(identity);
  expect(record.meshIam.breakGlass).toBeUndefined();
});
