import { expect, test } from "vitest";
import { createArn, formatArn, parseArn } from "./arn.ts";
import { MeshIamError } from "./error.ts";
import { accountOf, arnOf } from "./principal.ts";
import { quote } from "./problem.ts";
import { outcomeOf, reasons } from "./reason.ts";

test.each([
  ["six fields", "arn:aws:s3:::bkt/a", ["aws", "s3", "", "", "bkt/a"]],
  [
    "colons behind the fifth",
    "arn:aws:logs:r:a:group:g:stream:s",
    ["aws", "logs", "r", "a", "group:g:stream:s"],
  ],
  ["empty fields", "arn:::::", ["", "", "", "", ""]],
])("an ARN of %s", (_why, text, [partition, service, region, account, resource]) => {
  const parsed = parseArn(text);
  expect(parsed).toEqual({ ok: true, value: { partition, service, region, account, resource } });
  expect(parsed.ok && Object.isFrozen(parsed.value)).toBe(true);
  expect(parsed.ok && formatArn(parsed.value)).toBe(text);
});

test.each([
  ["nothing", ""],
  ["five fields", "arn:aws:s3::x"],
  ["another prefix", "urn:aws:s3:::x"],
  ["a longer prefix", "arnx:aws:s3:::x"],
  ["an upper-case prefix", "ARN:aws:s3:::x"],
])("no ARN: %s", (_why, text) => {
  expect(parseArn(text)).toMatchObject({ ok: false, code: "arn-syntax" });
});

test("fields are taken as they are", () => {
  expect(formatArn(createArn("p", "s", "r", "a", "x:y/z"))).toBe("arn:p:s:r:a:x:y/z");
});

test.each([
  ["plain text", "abc", "`abc`"],
  ["quotes", 'a"b', '`a"b`'],
  ["a newline", "a\nb", "`a\\nb`"],
  ["exactly eighty", "a".repeat(80), `\`${"a".repeat(80)}\``],
  ["more", "a".repeat(81), `\`${"a".repeat(77)}...\``],
])("quoting %s", (_why, text, want) => {
  expect(quote(text)).toBe(want);
});

test("an error of ours is kept, any other becomes internal with its cause", () => {
  const ours = new MeshIamError("usage", "expected a command");
  expect(MeshIamError.from(ours)).toBe(ours);
  const other = new TypeError("x");
  expect(MeshIamError.from(other)).toMatchObject({
    code: "internal",
    cause: other,
    name: "MeshIamError",
  });
});

test("every reason has an outcome, and only policies or the configuration allow", () => {
  expect(reasons.filter((reason) => outcomeOf(reason) === "allow")).toEqual([
    "identity-policy",
    "resource-policy",
    "authentication-not-required",
    "shadow-mode",
  ]);
  expect(outcomeOf("evaluation-error")).toBe("error");
  expect(outcomeOf("scp")).toBe("deny");
});

test("callers without account or ARN have none", () => {
  expect([accountOf({ type: "anonymous" }), arnOf({ type: "anonymous" })]).toEqual([null, null]);
  const root = {
    type: "root",
    account: "111111111111",
    arn: "arn:aws:iam::111111111111:root",
  } as const;
  expect([accountOf(root), arnOf(root)]).toEqual([root.account, root.arn]);
});
