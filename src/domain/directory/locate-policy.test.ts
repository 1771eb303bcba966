import { expect, test } from "vitest";
import { parsePolicyDocument } from "../../iam/policy/parse.ts";
import { validatePolicy } from "../../iam/policy/validate.ts";
import { formatDocumentProblem } from "./document-problem.ts";
import { readDocuments } from "./documents.ts";
import { createPolicyLocator } from "./locate-policy.ts";

const user = (policyDocument: string): string => `# a file
apiVersion: mesh-iam.io/v1
kind: User
metadata: { name: bob, account: "111122223333" }
spec:
  policies:
    - policyName: first
      policyDocument: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "a:B", Resource: "*" }] }
    - policyName: own
      policyDocument:${policyDocument}`;

const mapping = `
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Action: "a:B"
            Resource: "*"
            Condition:
              StringEquals:
                "aws:PrincipalArnn": x
`;
const literal = ` |
        {
          "Version": "2012-10-17",
          "Statement": [{ "Effect": "Allow", "Action": "a:B", "Resource": "*",
            "Condition": { "StringEquals": { "aws:PrincipalArnn": "x" } } }]
        }
`;
const quoted = ` '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"a:B","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalArnn":"x"}}}]}'
`;
const flow = ` {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"a:B","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalArnn":"x"}}}]}
`;

function linesOf(text: string, path = "a.yaml"): readonly string[] {
  const files = [{ path, text }];
  const loaded = readDocuments(files);
  if (!loaded.ok) throw new Error(loaded.problems.map(formatDocumentProblem).join("\n"));
  const locate = createPolicyLocator(files);
  return loaded.value.users.flatMap(({ inlinePolicies }) =>
    inlinePolicies.flatMap((policy) =>
      validatePolicy(policy.text, "identity")
        .filter(({ code }) => code === "INVALID_GLOBAL_CONDITION_KEY")
        .map((problem) => formatDocumentProblem(locate(policy, problem))),
    ),
  );
}

const inside = "User/bob spec.policies[1].policyDocument.Statement[0].Condition.StringEquals";

test.each([
  ["a mapping", mapping, "a.yaml:18:17"],
  ["a block literal", literal, "a.yaml:14:46"],
  ["a quoted text", quoted, "a.yaml:10:23"],
  [
    "a flow mapping",
    flow,
    `a.yaml:10:${"      policyDocument:".length + flow.indexOf('"aws:Pr') + 1}`,
  ],
])("a finding in %s is told where the file has it", (_why, policy, where) => {
  const [line] = linesOf(user(policy));
  expect(line).toContain(`${where} ${inside}`);
  expect(line).toContain("`aws:PrincipalArnn`");
});

test("a document of one line, with another policy on it", () => {
  const json = JSON.stringify({
    apiVersion: "mesh-iam.io/v1",
    kind: "User",
    metadata: { name: "bob", account: "111122223333" },
    spec: {
      policies: ["aws:SourceIpp", "aws:PrincipalArnn"].map((key) => ({
        policyName: key.slice(4),
        policyDocument: {
          Version: "2012-10-17",
          Statement: [
            {
              Effect: "Allow",
              Action: "a:B",
              Resource: "*",
              Condition: { StringEquals: { [key]: "x" } },
            },
          ],
        },
      })),
    },
  });
  const lines = linesOf(json, "a.json");
  expect(lines).toHaveLength(2);
  for (const line of lines) {
    const [, column = "", key = ""] = /a\.json:1:(\d+) .*`(aws:\w+)`; did/.exec(line) ?? [];
    expect(json.slice(Number(column) - 1)).toMatch(new RegExp(`^"${key}"`));
  }
});

test("a policy that is not in the files is told at its source, or by its id", () => {
  const locate = createPolicyLocator([{ path: "a.yaml", text: user(mapping) }]);
  const [problem] = validatePolicy('{"Statement":[]}', "identity");
  const loaded = parsePolicyDocument('{"Statement":[]}', "identity");
  if (problem === undefined) throw new Error(String(loaded.ok));
  const at = (source: string | null) =>
    formatDocumentProblem(locate({ id: "p1", text: "{}", source }, problem));
  expect(at("b.yaml:7")).toMatch(/^b\.yaml:7:1 p1 Statement: /);
  expect(at("a.yaml:11")).toMatch(/^a\.yaml:11:1 p1 Statement: /);
  expect(at(null)).toMatch(/^p1 p1 Statement: /);
});
