import { describe, expect, test } from "vitest";
import { createWork } from "../glob.ts";
import type { BaseOperator } from "../policy/document.ts";
import { parseTemplate } from "../policy/variables.ts";
import type { ContextValue } from "../request-context.ts";
import { operatorNames, operators, parseOperator } from "./operators.ts";
import type { PolicyValue } from "./value-matcher.ts";

function value(text: string): PolicyValue {
  if (!text.includes("${")) return { text, template: null };
  const template = parseTemplate(text);
  if (!template.ok) throw new Error(template.message);
  return { text, template: template.value };
}

const one = (text: string): ContextValue => ({ multivalued: false, values: [text] });

const keys = new Map<string, ContextValue>([
  ["aws:username", one("bob")],
  ["aws:principaltag/star", one("*")],
  ["aws:principaltag/empty", one("")],
  ["aws:tagkeys", { multivalued: true, values: ["bob"] }],
  ["aws:principaltag/account", one("111111111111")],
  ["aws:principaltag/shift", one("111111111111:b")],
]);

function fits(base: BaseOperator, values: readonly string[], text: string): boolean {
  const matcher = operators[base].matcher?.(values.map(value));
  return matcher?.matches(text, { keys, work: createWork() }) ?? false;
}

const arn = "arn:aws:sns:us-east-1:111122223333:t1";

describe("operators in their positive form", () => {
  test.each<readonly [string, BaseOperator, readonly string[], string, boolean]>([
    ["equal", "StringEquals", ["a", "b"], "b", true],
    ["T-CON-07 a star is a star", "StringEquals", ["a*"], "abc", false],
    ["POL-035 NFC and NFD differ", "StringEquals", ["é"], "e\u0301", false],
    ["T-CON-62 a newline counts", "StringEquals", ["a"], "a\n", false],
    ["DOC-16 no values", "StringEquals", [], "x", false],
    ["VAL-8 a lone surrogate", "StringEquals", ["a"], "a\ud800", false],
    ["many values", "StringEquals", [..."abcdefghij"], "j", true],
    ["many values, none", "StringEquals", [..."abcdefghij"], "k", false],
    ["a variable", "StringEquals", ["${aws:username}"], "bob", true],
    ["a variable and text", "StringEquals", ["a-${aws:UserName}-z"], "a-bob-z", true],
    [
      "a variable among many values",
      "StringEquals",
      [..."abcdefghij", "${aws:username}"],
      "bob",
      true,
    ],
    ["VAR-8 an absent variable", "StringEquals", ["${aws:PrincipalTag/x}"], "", false],
    ["T-VAR-19 another value beside it", "StringEquals", ["${aws:PrincipalTag/x}", "x"], "x", true],
    ["VAR-6 its default", "StringEquals", ["${aws:PrincipalTag/x, 'd'}"], "d", true],
    ["VAR-7 the empty value", "StringEquals", ["${aws:PrincipalTag/empty}"], "", false],
    ["VAR-7 its default", "StringEquals", ["${aws:PrincipalTag/empty, 'd'}"], "d", true],
    ["VAR-4 a multivalued key", "StringEquals", ["${aws:TagKeys}"], "bob", false],
    ["VAR-5 escapes", "StringEquals", ["${*}${?}${$}"], "*?$", true],
    ["T-CON-10 in any case", "StringEqualsIgnoreCase", ["abc"], "ABC", true],
    ["T-CON-11 ASCII only", "StringEqualsIgnoreCase", ["é"], "É", false],
    ["POL-036 the Kelvin sign", "StringEqualsIgnoreCase", ["k"], "\u212a", false],
    ["POL-036 the long s", "StringEqualsIgnoreCase", ["s"], "\u017f", false],
    ["POL-036 the dotless i", "StringEqualsIgnoreCase", ["i"], "\u0131", false],
    ["POL-036 the final sigma", "StringEqualsIgnoreCase", ["σ"], "ς", false],
    ["a variable in any case", "StringEqualsIgnoreCase", ["${aws:username}"], "BOB", true],
    ["T-CON-08 across / and :", "StringLike", ["a*c"], "a/b:c", true],
    ["T-CON-09 a star and nothing", "StringLike", ["*"], "", true],
    ["T-CON-62 a star and a newline", "StringLike", ["*"], "a\nb", true],
    ["VAL-8 a star and a lone surrogate", "StringLike", ["*"], "\ud800", false],
    [
      "T-VAR-23 a star in a variable",
      "StringLike",
      ["${aws:PrincipalTag/star}"],
      "anything",
      false,
    ],
    ["a star in a variable is a star", "StringLike", ["${aws:PrincipalTag/star}"], "*", true],
    ["a variable behind a star", "StringLike", ["*-${aws:username}-*"], "x-bob-y", true],
    ["a variable before a star", "StringLike", ["${aws:username}/*"], "bob/x", true],
    ["a variable before an inner star", "StringLike", ["${aws:username}/*/z"], "bob/x/z", true],
    [
      "VAR-8 an absent variable behind a star",
      "StringLike",
      ["*${aws:PrincipalTag/x}"],
      "x",
      false,
    ],
    ["VAR-5 an escaped star", "StringLike", ["a${*}"], "ab", false],
    ["T-CON-29", "NumericEquals", ["10.0"], "10", true],
    ["T-CON-27", "NumericLessThan", ["9"], "10", false],
    ["T-CON-31", "NumericLessThan", ["1"], "0.5", true],
    ["equal is less or equal", "NumericLessThanEquals", ["1"], "1.0", true],
    ["equal is not greater", "NumericGreaterThan", ["1"], "1", false],
    ["equal is greater or equal", "NumericGreaterThanEquals", ["1"], "1", true],
    ["one of several", "NumericEquals", ["1", "2"], "2", true],
    ["T-CON-30 no number", "NumericLessThan", ["10"], "abc", false],
    ["LOAD-4 a malformed policy value", "NumericEquals", ["1e3"], "1e3", false],
    ["T-CON-33", "DateLessThan", ["2025-01-01T00:00:00Z"], "2024-06-01T00:00:00Z", true],
    ["T-CON-34", "DateLessThan", ["1735689600"], "2024-06-01T00:00:00Z", true],
    ["T-CON-35", "DateGreaterThan", ["2025-01-01T00:00:00Z"], "1717200000", false],
    ["T-CON-38", "DateLessThan", ["2024"], "2023-06-01T00:00:00Z", true],
    ["T-CON-37", "DateEquals", ["2024-06-01T02:00:00+02:00"], "2024-06-01T00:00:00Z", true],
    ["to the nanosecond", "DateLessThanEquals", ["1.000000001"], "1.000000002", false],
    ["a date and after", "DateGreaterThanEquals", ["2024"], "2024-01-01", true],
    ["no date", "DateEquals", ["2024"], "soon", false],
    ["T-CON-40", "Bool", ["True"], "true", true],
    ["T-CON-41 several truth values", "Bool", ["true", "false"], "FALSE", true],
    ["no truth value", "Bool", ["true", "false"], "1", false],
    ["T-CON-60", "BinaryEquals", ["QUJD"], "QUJD", true],
    ["other bytes", "BinaryEquals", ["QUJD"], "QUJE", false],
    ["no base64", "BinaryEquals", ["QUJD"], "QUJ", false],
    ["T-CON-44", "IpAddress", ["192.168.0.0/16", "10.0.0.0/8"], "10.1.2.3", true],
    ["no address", "IpAddress", ["0.0.0.0/0"], "localhost", false],
    [
      "T-CON-51 a star stays in its field",
      "ArnLike",
      ["arn:aws:sns:*:111122223333:finance/*"],
      "arn:aws:sns:us-east-2:999999999999:store/abc:111122223333:finance/d",
      false,
    ],
    [
      "T-CON-51 unlike StringLike's",
      "StringLike",
      ["arn:aws:sns:*:111122223333:finance/*"],
      "arn:aws:sns:us-east-2:999999999999:store/abc:111122223333:finance/d",
      true,
    ],
    ["T-CON-52", "ArnLike", ["arn:aws:sns:*:111122223333:t?"], arn, true],
    ["T-CON-55", "ArnLike", ["arn:aws:sns:*:*:T1"], arn, false],
    ["T-CON-56 no ARN", "ArnLike", ["arn:*:*:*:*:*"], "not-an-arn", false],
    ["five fields", "ArnLike", ["arn:*:*:*:*:*"], "arn:aws:sns:us-east-1:x", false],
    ["another prefix", "ArnLike", ["arn:*:*:*:*:*"], "urn:aws:sns:us-east-1:x:y", false],
    ["LOAD-4 a malformed pattern", "ArnLike", ["*"], arn, false],
    ["LOAD-4 a pattern of five fields", "ArnLike", ["arn:*:*:*:*"], arn, false],
    ["LOAD-4 a pattern with another prefix", "ArnLike", ["urn:aws:sns:*:*:*"], arn, false],
    ["ARN-1 another partition", "ArnLike", ["arn:aws-cn:sns:*:*:*"], arn, false],
    ["LOAD-4 no number beside a number", "NumericEquals", ["1e3", "2"], "2", true],
    ["LOAD-4 no number and a number", "NumericLessThan", ["1e3"], "2", false],
    ["LOAD-4 no date and a date", "DateLessThan", ["soon"], "2024", false],
    ["LOAD-4 no address and an address", "IpAddress", ["10.0.0.0/33"], "10.0.0.1", false],
    ["LOAD-4 no truth value twice", "Bool", ["1"], "1", false],
    ["LOAD-4 no base64 twice", "BinaryEquals", ["QUJ"], "QUJ", false],
    [
      "T-VAR-27 a variable in a field",
      "ArnLike",
      ["arn:aws:sns:*:${aws:PrincipalTag/account}:t"],
      "arn:aws:sns:us-east-1:111111111111:t",
      true,
    ],
    [
      "T-VAR-27 its colons shift nothing",
      "ArnLike",
      ["arn:aws:sns:*:${aws:PrincipalTag/shift}:t"],
      "arn:aws:sns:us-east-1:111111111111:b:t",
      false,
    ],
    [
      "T-VAR-18 an absent variable",
      "ArnLike",
      ["arn:aws:sns:*:*:${aws:PrincipalTag/x}"],
      arn,
      false,
    ],
  ])("%s: %s", (_why, base, values, text, want) => {
    expect(fits(base, values, text)).toBe(want);
  });

  test("2008: what looks like a variable is text", () => {
    const text = "arn:aws:sns:r:a:${aws:username}";
    const plain: PolicyValue = { text, template: null };
    for (const base of ["ArnLike", "StringLike", "StringEquals"] as const) {
      const matcher = operators[base].matcher?.([plain]);
      expect(matcher?.matches(text, { keys, work: createWork() })).toBe(true);
    }
  });

  test("IMP-6 a spent budget ends the comparing, one that is just used up does not", () => {
    for (const base of ["StringLike", "ArnLike"] as const) {
      const matcher = operators[base].matcher?.([value(arn)]);
      const spent = { steps: 2, limit: 1 };
      expect(matcher?.matches(arn, { keys, work: spent })).toBe(false);
      expect(spent.steps).toBe(2);
      expect(matcher?.matches(arn, { keys, work: { steps: 1, limit: 1 } })).toBe(true);
    }
  });

  const ten = Array.from({ length: 10 }, (_, i) => `v${i}`);
  test.each<readonly [BaseOperator, readonly string[], string, number]>([
    ["StringEquals", ["a", "b", "${aws:username}"], "x", 3],
    ["StringEquals", ten.slice(0, 8), "x", 8],
    ["StringEquals", ten, "x", 1],
    ["StringEquals", [...ten, "${aws:username}", "${aws:username}"], "x", 3],
    ["StringEqualsIgnoreCase", ["a", "b"], "x", 2],
    ["StringLike", ["a", "b"], "x", 2],
    ["NumericLessThan", ["1", "2"], "x", 2],
    ["DateEquals", ["1", "2"], "x", 2],
    ["Bool", ["true"], "x", 1],
    ["BinaryEquals", ["QUJD", "QUJE"], "QUJF", 6],
    ["IpAddress", ["10.0.0.0/8", "::1"], "x", 2],
    ["ArnLike", ["arn:aws:s3:*:*:*"], arn, 2],
  ])("IMP-6 %s of %j counts its work", (base, values, text, want) => {
    const work = createWork();
    operators[base].matcher?.(values.map(value)).matches(text, { keys, work });
    expect(work.steps).toBe(want);
  });
});

describe("POL-022 a thousand values", () => {
  const values = Array.from({ length: 2000 }, (_, i) => `value-${i}*x`);

  test("steps grow with the values and no faster", () => {
    const steps = [1000, 2000].map((count) => {
      const work = createWork();
      operators.StringLike.matcher?.(values.slice(0, count).map(value)).matches("nothing", {
        keys,
        work,
      });
      return work.steps;
    });
    expect(steps[1]).toBeLessThanOrEqual(2.3 * (steps[0] ?? 0));
  });
});

describe("names of operators", () => {
  test("every name with every prefix and suffix is one operator", () => {
    const names = operatorNames.filter((name) => name !== "Null");
    expect(operatorNames).toHaveLength(27);
    for (const name of names) {
      for (const prefix of ["", "ForAllValues:", "ForAnyValue:"]) {
        for (const suffix of ["", "IfExists"]) {
          const operator = prefix + name + suffix;
          const parsed = parseOperator(operator);
          expect(parsed).toMatchObject({
            ok: true,
            value: {
              operator,
              negated: name.includes("Not"),
              ifExists: suffix !== "",
              quantifier: prefix === "" ? null : prefix.slice(0, -1),
            },
          });
          // CON-3
          expect(parseOperator(operator.toUpperCase())).toEqual(parsed);
        }
      }
    }
  });

  test.each([
    ["", "INVALID_CONDITION_OPERATOR"],
    ["IfExists", "INVALID_CONDITION_OPERATOR"],
    ["ForAllValues:", "INVALID_CONDITION_OPERATOR"],
    ["ForAnyValue:ForAllValues:StringEquals", "INVALID_CONDITION_OPERATOR"],
    ["StringEqualsIfExistsIfExists", "INVALID_CONDITION_OPERATOR"],
    ["NumericNotLessThan", "INVALID_CONDITION_OPERATOR"],
    ["toString", "INVALID_CONDITION_OPERATOR"],
    ["StringEqual\u017f", "INVALID_CONDITION_OPERATOR"],
    ["nullifexists", "NULL_WITH_IF_EXISTS"],
    ["forallvalues:null", "NULL_WITH_QUALIFIER"],
  ])("%j is none", (text, code) => {
    expect(parseOperator(text)).toMatchObject({ ok: false, code });
  });

  test("Null looks at no value", () => {
    expect(operators.Null.matcher).toBeNull();
  });
});
