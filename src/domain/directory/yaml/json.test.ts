import { expect, test } from "vitest";
import { defaultYamlLimits } from "./bounds.ts";
import { writeJson } from "./json.ts";
import { parseYaml } from "./parse.ts";

function write(text: string) {
  const [document] = parseYaml(text, defaultYamlLimits);
  if (!document?.root) throw new Error("the text is not read");
  return writeJson(document.root);
}

test.each([
  ["b: 1\na: 2", '{"b":1,"a":2}'],
  ["12: x\n2: y", '{"12":"x","2":"y"}'],
  ["[1.0, -0, 1e3, true, null, ~]", "[1.0,-0,1e3,true,null,null]"],
  ['a: "é\\u2028\\"\\\\\\n"', '{"a":"é\u2028\\"\\\\\\n"}'],
  ["a: &x [1]\nb: *x", '{"a":[1],"b":[1]}'],
  ["{}", "{}"],
  ["Null: { aws:TokenIssueTime: True }", '{"Null":{"aws:TokenIssueTime":true}}'],
])("%s is stored as %s", (yaml, json) => {
  const written = write(yaml);
  expect(written.text).toBe(json);
  expect(written.unwritable).toEqual([]);
  expect(() => JSON.parse(written.text)).not.toThrow();
});

test.each(["0x1F", "0o17", "012", "+1", ".5", "1.", ".inf", "-.INF", ".nan"])(
  "the number %s has no JSON form",
  (number) => {
    expect(write(`[1, ${number}]`).unwritable).toMatchObject([{ text: number }]);
  },
);

test("every offset in the JSON leads back to where it came from", () => {
  const written = write("Statement:\n  - Effect: allow\n    Action: [a, b]\n");
  const at = (part: string) => written.positionAt(written.text.indexOf(part));
  expect(at('"Effect"')).toMatchObject({ line: 2, column: 5 });
  expect(at('"allow"')).toMatchObject({ line: 2, column: 13 });
  expect(at('llow"')).toMatchObject({ line: 2, column: 13 });
  expect(at('"b"')).toMatchObject({ line: 3, column: 17 });
  expect(written.positionAt(0)).toMatchObject({ line: 1, column: 1 });
});
