import { expect, test } from "vitest";
import { splitArnPattern } from "./arn-pattern.ts";
import { parseTemplate } from "./variables.ts";

const text = (value: string) => ({ type: "text", text: value });
const variable = (keyLower: string, defaultText: string | null = null) => ({
  type: "variable",
  keyLower,
  defaultText,
});

test.each([
  ["no variable", "a*$b}", [text("a*$b}")]],
  ["the empty text", "", []],
  ["VAR-1 a variable", "a/${aws:username}/b", [text("a/"), variable("aws:username"), text("/b")]],
  ["VAR-4 the key in any case", "${AWS:UserName}", [variable("aws:username")]],
  ["VAR-1 a default", "${aws:PrincipalTag/t, 'a b'}", [variable("aws:principaltag/t", "a b")]],
  ["an empty default", "${aws:x, ''}", [variable("aws:x", "")]],
  ["a default with a brace and a comma", "${aws:x, 'a},b'}", [variable("aws:x", "a},b")]],
  ["neighbours", "${a:b}${c:d}", [variable("a:b"), variable("c:d")]],
  [
    "VAR-5 escapes",
    "${*}${?}${$}",
    ["*", "?", "$"].map((each) => ({ type: "escape", text: each })),
  ],
  ["an escape before a brace", "${$}{aws:x}", [{ type: "escape", text: "$" }, text("{aws:x}")]],
  ["a dollar before a variable", "$${aws:x}", [text("$"), variable("aws:x")]],
])("a template: %s", (_why, source, parts) => {
  expect(parseTemplate(source)).toEqual({ ok: true, value: parts });
});

test.each([
  ["T-VAR-13 no closing brace", "${aws:username", "MISSING_BRACE_IN_VARIABLE"],
  ["T-VAR-13 empty", "${}", "EMPTY_VARIABLE"],
  ["T-VAR-13 no quotes", "${aws:x, a}", "MISSING_QUOTE_IN_VARIABLE"],
  ["T-VAR-12 no space", "${aws:PrincipalTag/t,'a'}", "INVALID_VARIABLE_DEFAULT"],
  ["two spaces", "${aws:x,  'a'}", "UNSUPPORTED_SPACE_IN_VARIABLE"],
  ["no comma", "${aws:x'a'}", "INVALID_VARIABLE_DEFAULT"],
  ["a space before the key", "${ aws:x}", "UNSUPPORTED_SPACE_IN_VARIABLE"],
  ["a space behind the key", "${aws:x }", "UNSUPPORTED_SPACE_IN_VARIABLE"],
  ["an open quote", "${aws:x, 'a}", "MISSING_QUOTE_IN_VARIABLE"],
  ["text behind the default", "${aws:x, 'a' }", "MISSING_BRACE_IN_VARIABLE"],
  ["a variable in the key", "${aws:PrincipalTag/${aws:x}}", "NESTED_VARIABLE"],
  ["a variable in the default", "${aws:x, '${aws:y}'}", "NESTED_VARIABLE"],
  ["a key without prefix", "${username}", "INVALID_VARIABLE_KEY"],
  ["a key without name", "${aws:}", "INVALID_VARIABLE_KEY"],
  ["a key with an empty prefix", "${:x}", "INVALID_VARIABLE_KEY"],
  ["a wildcard in the key", "${aws:Principal*}", "INVALID_VARIABLE_KEY"],
  ["an unknown escape", "${#}", "INVALID_VARIABLE_KEY"],
  ["a default without key", "${, 'a'}", "EMPTY_VARIABLE"],
])("a malformed variable is refused: %s", (_why, source, code) => {
  expect(parseTemplate(`x${source}`)).toMatchObject({ ok: false, code });
});

test.each([
  ["six fields", "arn:aws:s3:::b/k", true, ["arn", "aws", "s3", "", "", "b/k"]],
  ["colons in the resource", "arn:a:s:r:c:x:y", true, ["arn", "a", "s", "r", "c", "x:y"]],
  ["fewer fields", "arn:aws:s3:*", true, ["arn", "aws", "s3", "*"]],
  [
    "a colon in a variable",
    "arn:*:sqs:*:${aws:PrincipalAccount}:q1",
    true,
    ["arn", "*", "sqs", "*", "${aws:PrincipalAccount}", "q1"],
  ],
  [
    "a colon in a default",
    "arn:a:s:r:${aws:x, 'a:b'}:q",
    true,
    ["arn", "a", "s", "r", "${aws:x, 'a:b'}", "q"],
  ],
  [
    "2008: a variable is text",
    "arn:a:s:r:${aws:x}:q",
    false,
    ["arn", "a", "s", "r", "${aws", "x}:q"],
  ],
  ["a malformed variable", "arn:a:s:${x:y:z", true, ["arn", "a", "s", "${x:y:z"]],
  ["no colon", "bucket", true, ["bucket"]],
  ["the empty text", "", true, [""]],
])("fields of an ARN pattern: %s", (_why, source, variables, fields) => {
  expect(splitArnPattern(source, variables)).toEqual(fields);
});
