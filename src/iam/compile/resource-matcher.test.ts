import { describe, expect, test } from "vitest";
import { keysOf } from "../../../test/fakes/question.ts";
import { type Arn, createArn, parseArn } from "../arn.ts";
import { createWork } from "../glob.ts";
import type { Effect, PolicyDocument } from "../policy/document.ts";
import {
  addResourceKeys,
  couldMatchResource,
  createResourceMatcher,
  matchesResource,
  type ResourceMatcher,
  resourcePrefix,
} from "./resource-matcher.ts";
import { createCompileTables } from "./tables.ts";

type Version = PolicyDocument["version"];
const account = "111111111111";

function matcher(
  texts: readonly string[],
  negated = false,
  version: Version = "2012-10-17",
): ResourceMatcher {
  const entries = texts.map((text) => ({ text, position: { line: 1, column: 1, offset: 0 } }));
  return createResourceMatcher({ negated, entries }, version, createCompileTables());
}

function arnOf(text: string): Arn {
  const parsed = parseArn(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

interface Options {
  readonly keys?: Readonly<Record<string, string | readonly string[]>>;
  readonly version?: Version;
}

function matches(pattern: string, arn: Arn | null, { keys = {}, version }: Options = {}): boolean {
  const scope = { keys: keysOf(keys), work: createWork() };
  return matchesResource(matcher([pattern], false, version), arn, "Allow", scope);
}

const object = "arn:aws:s3:::bkt/a/b.txt";

describe("3.3 resources", () => {
  test.each([
    ["T-RES-01", "arn:aws:s3:::bkt/*.txt", object, true],
    ["T-RES-02", "arn:aws:s3:::bkt/a/?.txt", object, true],
    ["T-RES-03", "arn:aws:s3:::bkt/a?b.txt", object, true],
    ["T-RES-04", "arn:aws:s3:::bkt/A/b.txt", object, false],
    ["T-RES-05", "arn:aws:s3:::*", object, true],
    ["T-RES-06", "arn:*", object, true],
    ["RES-5 a trailing star", "arn:aws:*", object, true],
    ["RES-5 a trailing star of another service", "arn:aws:sqs:*", object, false],
    ["T-RES-07 if evaluated", "arn:aws:sqs:*:q1", `arn:aws:sqs:us-east-1:${account}:q1`, false],
    ["T-RES-08", "arn:aws:sqs:*:*:q1", `arn:aws:sqs:us-east-1:${account}:q1`, true],
    [
      "T-RES-09",
      `arn:aws:logs:us-east-1:${account}:log-group:*`,
      `arn:aws:logs:us-east-1:${account}:log-group:g:log-stream:s`,
      true,
    ],
    ["T-RES-10", `arn:aws:iam::${account}:*/app`, `arn:aws:iam::${account}:role/app`, true],
    ["T-RES-12 if evaluated", "arn:aws:S3:::bkt/*", object, false],
    ["T-RES-14 if evaluated", "arn:aws:s3*", object, false],
    ["T-RES-15 if evaluated", "bucket", object, false],
    ["T-RES-16", "arn:aws:s3:::bkt/*", "arn:aws:s3:::bkt/a\nb", true],
    ["T-RES-17", "arn:aws:s3:::bkt/*/test/*", "arn:aws:s3:::bkt//test/x", true],
    ["T-RES-17", "arn:aws:s3:::bkt/*/test/*", "arn:aws:s3:::bkt/1///test///x", true],
    ["T-RES-17", "arn:aws:s3:::bkt/*/test/*", "arn:aws:s3:::bkt/test/x", false],
    ["T-RES-19", "arn:aws:s3:::bkt/?", "arn:aws:s3:::bkt/😀", true],
    ["T-RES-19", "arn:aws:s3:::bkt/??", "arn:aws:s3:::bkt/😀", false],
    ["T-RES-22", "arn:aws-cn:s3:::bkt/*", object, false],
    ["a wildcard partition", "arn:aws*:s3:::bkt/*", object, true],
    ["T-RES-24", "arn:aws:sqs::*:q1", `arn:aws:sqs:us-east-1:${account}:q1`, false],
    ["RES-4 a star never takes a border", "arn:aws:sqs:*", "arn:aws:s3:::x", false],
    ["another first field", "urn:aws:s3:::*", object, false],
  ])("%s: %s against %j is %s", (_why, pattern, arn, want) => {
    expect(matches(pattern, arnOf(arn))).toBe(want);
  });

  test("T-RES-21 the pseudo-resource is matched by * only", () => {
    expect(matches("*", null)).toBe(true);
    expect(matches("arn:*", null)).toBe(false);
    expect(matches("arn:*:*:*:*:*", null)).toBe(false);
  });

  test.each([
    ["a star", "order/*", true],
    ["a question mark", "order/?", true],
    ["a variable", "order/${aws:username}", true],
    ["colons", "order/a:b:c", true],
  ])("T-RES-20 %s in the request's path is text", (_why, path, want) => {
    const arn = createArn("aws", "orders", "r", account, path);
    expect(matches("arn:aws:orders:r:*:order/*", arn)).toBe(want);
    expect(matches("arn:aws:orders:r:*:order/42", arn)).toBe(false);
  });
});

describe("3.4 variables in resources", () => {
  test.each<readonly [string, string, string, Options, boolean]>([
    ["T-VAR-01", "bkt/${aws:username}/*", "bkt/a/b.txt", { keys: { "aws:username": "a" } }, true],
    [
      "another value",
      "bkt/${aws:username}/*",
      "bkt/a/b.txt",
      { keys: { "aws:username": "b" } },
      false,
    ],
    [
      "T-VAR-25 in any case",
      "bkt/${AWS:UserName}/*",
      "bkt/a/b.txt",
      { keys: { "aws:username": "a" } },
      true,
    ],
    ["T-VAR-02 absent", "bkt/${aws:username}/*", "bkt/a/b.txt", {}, false],
    [
      "absent, and the text looks like it",
      "bkt/${aws:username}/*",
      "bkt/${aws:username}/x",
      {},
      false,
    ],
    ["T-VAR-03 a default", "bkt/${aws:PrincipalTag/team, 'a'}/*", "bkt/a/b.txt", {}, true],
    [
      "T-VAR-10 the empty value",
      "bkt/${aws:PrincipalTag/t, 'a'}/*",
      "bkt/a/b.txt",
      { keys: { "aws:principaltag/t": "" } },
      true,
    ],
    [
      "T-VAR-04 2008",
      "bkt/${aws:username}/*",
      "bkt/a/b.txt",
      { keys: { "aws:username": "a" }, version: "2008-10-17" },
      false,
    ],
    [
      "2008, the text itself",
      "bkt/${aws:username}/*",
      "bkt/${aws:username}/x",
      { version: "2008-10-17" },
      true,
    ],
    [
      "T-VAR-05 a star in the value",
      "bkt/${aws:PrincipalTag/t}/b.txt",
      "bkt/a/b.txt",
      { keys: { "aws:principaltag/t": "*" } },
      false,
    ],
    ["T-VAR-06", "bkt/star${*}", "bkt/star*", {}, true],
    ["T-VAR-06", "bkt/star${*}", "bkt/starXYZ", {}, false],
    ["T-VAR-07", "bkt/q${?}", "bkt/q?", {}, true],
    ["T-VAR-07", "bkt/q${$}", "bkt/q$", {}, true],
    [
      "T-VAR-11 multivalued",
      "bkt/${aws:TagKeys}/*",
      "bkt/a/b.txt",
      { keys: { "aws:tagkeys": ["a"] } },
      false,
    ],
    [
      "T-VAR-11 multivalued, with a default",
      "bkt/${aws:TagKeys, 'a'}/*",
      "bkt/a/b.txt",
      { keys: { "aws:tagkeys": ["a"] } },
      false,
    ],
    [
      "T-VAR-24 not scanned again",
      "bkt/${aws:PrincipalTag/t}",
      "bkt/a",
      { keys: { "aws:principaltag/t": "${aws:username}", "aws:username": "a" } },
      false,
    ],
    ["behind a star", "*/${aws:username}/?", "bkt/x/a/1", { keys: { "aws:username": "a" } }, true],
    ["behind a star, absent", "*/${aws:username}/?", "bkt/x/a/1", {}, false],
    [
      "two, one behind a star",
      "${aws:username}/*/${aws:username}",
      "a/-/a",
      { keys: { "aws:username": "a" } },
      true,
    ],
    ["the whole field", "${aws:username}", "a", { keys: { "aws:username": "a" } }, true],
    [
      "a value that ends inside a character",
      "${aws:username}?",
      "\ud83d\ude00",
      { keys: { "aws:username": "\ud83d" } },
      false,
    ],
    [
      "a value that ends inside a character",
      "${aws:username}?",
      "\ud83dx",
      { keys: { "aws:username": "\ud83d" } },
      true,
    ],
  ])("%s: %s against %j", (_why, pattern, resource, options, want) => {
    const arn = createArn("aws", "s3", "", "", resource);
    expect(matches(`arn:aws:s3:::${pattern}`, arn, options)).toBe(want);
  });

  test("T-VAR-26 a variable in the account field", () => {
    const pattern = "arn:*:sqs:*:${aws:PrincipalAccount}:q1";
    const arn = arnOf(`arn:aws:sqs:us-east-1:${account}:q1`);
    expect(matches(pattern, arn, { keys: { "aws:principalaccount": account } })).toBe(true);
    expect(matches(pattern, arn, { keys: { "aws:principalaccount": "222222222222" } })).toBe(false);
    expect(matches(pattern, arn)).toBe(false);
  });

  test("LOAD-4 a variable where none may be, or a malformed one, matches nothing", () => {
    const keys = { "aws:x": "s3" };
    expect(matches("arn:aws:${aws:x}:::*", arnOf(object), { keys })).toBe(false);
    expect(matches("arn:aws:s3:::${aws:x", arnOf(object), { keys })).toBe(false);
  });

  test.each<readonly [string, Effect, readonly string[], Options, boolean]>([
    ["T-VAR-08 a Deny applies", "Deny", ["arn:aws:s3:::bkt/${aws:username}/*"], {}, true],
    ["T-VAR-09 an Allow does not", "Allow", ["arn:aws:s3:::bkt/${aws:username}/*"], {}, false],
    [
      "an Allow does not, whatever else is listed",
      "Allow",
      ["arn:aws:s3:::x", "arn:aws:s3:::bkt/${aws:username}/*"],
      {},
      false,
    ],
    [
      "a Deny that another entry spares",
      "Deny",
      ["arn:aws:s3:::bkt/*", "arn:aws:s3:::bkt/${aws:username}/*"],
      {},
      false,
    ],
    [
      "an excluded resource",
      "Allow",
      ["arn:aws:s3:::bkt/${aws:username}/*"],
      { keys: { "aws:username": "a" } },
      false,
    ],
    [
      "another resource",
      "Allow",
      ["arn:aws:s3:::bkt/${aws:username}/*"],
      { keys: { "aws:username": "z" } },
      true,
    ],
    ["T-RES-11 an excluded prefix", "Allow", ["arn:aws:s3:::bkt/a/*"], {}, false],
    ["LOAD-4 a malformed exclusion", "Allow", ["bucket"], {}, true],
    ["an exclusion of everything", "Allow", ["*"], {}, false],
    ["a variable in the account field", "Allow", ["arn:aws:s3::${aws:x}:b"], {}, false],
  ])("NotResource: %s", (_why, effect, patterns, { keys = {} }, want) => {
    const scope = { keys: keysOf(keys), work: createWork() };
    expect(matchesResource(matcher(patterns, true), arnOf(object), effect, scope)).toBe(want);
  });
});

describe("candidates: a variable counts as any text", () => {
  test.each([
    ["a variable", ["arn:aws:s3:::bkt/${aws:username}/*"], false, true],
    ["a variable elsewhere", ["arn:aws:s3:::other/${aws:username}/*"], false, false],
    ["no entry", [], false, false],
    ["everything", ["*"], false, true],
    ["a malformed entry", ["bucket"], false, false],
    ["an exclusion by variable", ["arn:aws:s3:::bkt/${aws:username}/*"], true, true],
    ["an exclusion by text", ["arn:aws:s3:::bkt/*"], true, false],
    ["an exclusion of everything", ["*"], true, false],
    ["an exclusion of nothing", ["bucket"], true, true],
    ["an account by variable", ["arn:aws:s3::${aws:x}:bkt/*"], false, true],
  ])("%s", (_why, patterns, negated, want) => {
    expect(couldMatchResource(matcher(patterns, negated), arnOf(object), createWork())).toBe(want);
  });

  test("the pseudo-resource", () => {
    expect(couldMatchResource(matcher(["*"]), null, createWork())).toBe(true);
    expect(couldMatchResource(matcher(["arn:*"]), null, createWork())).toBe(false);
    expect(couldMatchResource(matcher(["arn:*"], true), null, createWork())).toBe(true);
  });
});

test.each([
  ["*", ""],
  ["arn:aws:s3:::bkt/*", "bkt/"],
  ["arn:aws:s3:::bkt/a?c", "bkt/a"],
  ["arn:aws:s3:::bkt", "bkt"],
  ["arn:aws:s3:::${aws:username}/x", ""],
  ["arn:aws:s3:::bkt/${aws:username}/x", "bkt/"],
  ["arn:aws:s3:::bkt/${$}/x*", "bkt/$/x"],
  ["arn:aws:s3:::bkt/${$}/${aws:username}", "bkt/$/"],
  ["arn:aws:s3:*", ""],
  ["bucket", ""],
])("every match of %s begins with %j", (text, want) => {
  const [pattern] = matcher([text]).patterns;
  expect(pattern && resourcePrefix(pattern)).toBe(want);
});

test("the keys of variables, lower-cased", () => {
  const keys = new Set<string>();
  addResourceKeys(
    matcher(["*", "arn:aws:s3::${a:B}:x", "arn:aws:s3:::${C:d}/${*}/${e:f, 'g'}"]),
    keys,
  );
  expect([...keys]).toEqual(["a:b", "c:d", "e:f"]);
});

test("equal texts are one pattern, unless the version makes them differ", () => {
  const tables = createCompileTables();
  const patternOf = (text: string, version: Version) => {
    const entries = [{ text, position: { line: 1, column: 1, offset: 0 } }];
    return createResourceMatcher({ negated: false, entries }, version, tables).patterns[0];
  };
  const variable = "arn:aws:s3:::${aws:username}";
  expect(patternOf(object, "2012-10-17")).toBe(patternOf(object, "2008-10-17"));
  expect(patternOf(variable, "2012-10-17")).toBe(patternOf(variable, "2012-10-17"));
  expect(patternOf(variable, "2012-10-17")).not.toBe(patternOf(variable, "2008-10-17"));
});
