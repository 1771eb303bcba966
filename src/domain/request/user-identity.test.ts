import { expect, test } from "vitest";
import { userIdentity } from "./user-identity.ts";

test("a role session whose unique id is not known has no principalId, not the word null", () => {
  const identity = userIdentity({
    type: "assumed-role",
    account: "111122223333",
    arn: "arn:aws:sts::111122223333:assumed-role/app/s1",
    roleArn: "arn:aws:iam::111122223333:role/app",
    roleName: "app",
    sessionName: "s1",
    id: null,
    serviceLinked: false,
    tags: new Map(),
  });
  expect(JSON.parse(JSON.stringify(identity))).toEqual({
    type: "AssumedRole",
    arn: "arn:aws:sts::111122223333:assumed-role/app/s1",
    accountId: "111122223333",
    sessionContext: {
      sessionIssuer: {
        type: "Role",
        arn: "arn:aws:iam::111122223333:role/app",
        accountId: "111122223333",
        userName: "app",
      },
    },
  });
});
