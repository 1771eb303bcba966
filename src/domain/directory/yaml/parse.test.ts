import { expect, test } from "vitest";
import { defaultYamlLimits } from "./bounds.ts";
import type { DocumentNode } from "./node.ts";
import { parseYaml } from "./parse.ts";

/** The nodes as plain data: mappings as lists of pairs, numbers as `#source`. */
function plain(node: DocumentNode | null): unknown {
  switch (node?.type) {
    case "map":
      return node.entries.map(({ key, value }) => [key, plain(value)]);
    case "list":
      return { list: node.items.map(plain) };
    case "number":
      return `#${node.text}`;
    case "boolean":
      return node.text === "true";
    case "text":
      return node.text;
    default:
      return null;
  }
}

function read(text: string): unknown[] {
  const documents = parseYaml(text, defaultYamlLimits);
  expect(documents.flatMap(({ problems }) => problems)).toEqual([]);
  return documents.map(({ root }) => plain(root));
}

test.each([
  { why: "a mapping", text: "a: b\n", want: [[["a", "b"]]] },
  {
    why: "JSON",
    text: '{"a": ["b", 1, true, null]}',
    want: [[["a", { list: ["b", "#1", true, null] }]]],
  },
  { why: "JSON indented by tabs", text: '{\n\t"a":\t1\n}', want: [[["a", "#1"]]] },
  { why: "two documents", text: "a: 1\n---\nb: 2\n", want: [[["a", "#1"]], [["b", "#2"]]] },
  { why: "empty documents between", text: "---\n---\na: 1\n...\n# end\n", want: [[["a", "#1"]]] },
  { why: "nothing", text: "", want: [] },
  { why: "comments alone", text: "# nothing here\n", want: [] },
  { why: "the directive of this version", text: "%YAML 1.2\n---\na: 1\n", want: [[["a", "#1"]]] },
  { why: "a byte-order mark at the start", text: "\ufeffa: 1\n", want: [[["a", "#1"]]] },
  {
    why: "ends of line as Windows writes them",
    text: "a: 1\r\nb: 2\r\n",
    want: [
      [
        ["a", "#1"],
        ["b", "#2"],
      ],
    ],
  },
  { why: "an unquoted date is a text", text: "a: 2012-10-17\n", want: [[["a", "2012-10-17"]]] },
  {
    why: "yes and on are texts",
    text: "a: [yes, on, off]\n",
    want: [[["a", { list: ["yes", "on", "off"] }]]],
  },
  {
    why: "numbers keep their source",
    text: "a: [1.0, 0x1F, 012, 1e3]\n",
    want: [[["a", { list: ["#1.0", "#0x1F", "#012", "#1e3"] }]]],
  },
  {
    why: "keys are texts whatever they look like",
    text: "Null: 1\ntrue: 2\n12: 3\n~: 4\n",
    want: [
      [
        ["Null", "#1"],
        ["true", "#2"],
        ["12", "#3"],
        ["~", "#4"],
      ],
    ],
  },
  {
    why: "keys that name an object's prototype",
    text: "__proto__: 1\nconstructor: 2\n",
    want: [
      [
        ["__proto__", "#1"],
        ["constructor", "#2"],
      ],
    ],
  },
  { why: "a tag of the core schema", text: "a: !!str 12\n", want: [[["a", "12"]]] },
  {
    why: "an alias",
    text: "a: &x [1]\nb: *x\n",
    want: [
      [
        ["a", { list: ["#1"] }],
        ["b", { list: ["#1"] }],
      ],
    ],
  },
  {
    why: "an alias of a key",
    text: "&k a: b\nc: *k\n",
    want: [
      [
        ["a", "b"],
        ["c", "a"],
      ],
    ],
  },
  {
    why: "a surrogate pair in two escapes",
    text: '{"a": "\\ud83d\\ude00"}',
    want: [[["a", "😀"]]],
  },
  { why: "a block literal", text: "a: |\n  x\n   y\n", want: [[["a", "x\n y\n"]]] },
])("$why is read", ({ text, want }) => {
  expect(read(text)).toEqual(want);
});

test("positions are those of an editor, behind a byte-order mark too", () => {
  const [document] = parseYaml("\ufeffa:\n  - bc\r\n  - d: e\n", defaultYamlLimits);
  expect(document?.root).toMatchObject({
    entries: [
      {
        keyPosition: { line: 1, column: 1 },
        value: {
          items: [
            { position: { line: 2, column: 5 } },
            {
              entries: [
                {
                  keyPosition: { line: 3, column: 5 },
                  value: { position: { line: 3, column: 8 } },
                },
              ],
            },
          ],
        },
      },
    ],
  });
});

const mib = 1_048_576;
const laughs = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
for (let i = 1; i < 9; i++) {
  const [before, name] = ["abcdefghi"[i - 1], "abcdefghi"[i]];
  laughs.push(`${name}: &${name} [${Array(10).fill(`*${before}`).join(", ")}]`);
}
const thirtyDeep = (inner: string) => `${"[".repeat(30)}${inner}${"]".repeat(30)}`;
const deepAliases = `a: &a ${thirtyDeep("x")}
b: &b ${thirtyDeep("*a")}
c: &c ${thirtyDeep("*b")}
`;

test.each([
  { why: "a doubled key", text: "a: 1\nb: 2\na: 3\n", want: ["3:1 the key `a` is already at 1:1"] },
  {
    why: "a doubled key in JSON",
    text: '{"a":{"b":1,"b":2}}',
    want: ["1:13 the key `b` is already at 1:7"],
  },
  {
    why: "a key doubled by an escape",
    text: '{"a":1,"\\u0061":2}',
    want: ["1:8 the key `a` is already at 1:2"],
  },
  {
    why: "a merge key",
    text: "x: &a {b: 1}\ny:\n  <<: *a\n",
    want: ["3:3 merge keys (`<<`) are not read: write the members out"],
  },
  {
    why: "a local tag",
    text: "a: !foo 1\n",
    want: ["1:9 the tag `!foo` is not read: only those of the YAML core schema are"],
  },
  {
    why: "a tag of YAML 1.1",
    text: "a: !!binary aGk=\n",
    want: [
      "1:13 the tag `tag:yaml.org,2002:binary` is not read: only those of the YAML core schema are",
    ],
  },
  {
    why: "a code execution tag of another parser",
    text: "a: !!js/function x\n",
    want: [
      "1:18 the tag `tag:yaml.org,2002:js/function` is not read: only those of the YAML core schema are",
    ],
  },
  {
    why: "the non-specific tag",
    text: "a: ! x\n",
    want: ["1:6 the tag `!` is not read: only those of the YAML core schema are"],
  },
  {
    why: "a tag on a mapping",
    text: "!!set {a: 1}\n",
    want: [
      "1:7 the tag `tag:yaml.org,2002:set` is not read: only those of the YAML core schema are",
    ],
  },
  {
    why: "a tag on a key",
    text: "!x a: 1\n",
    want: ["1:1 expected a text as key"],
  },
  { why: "a list as key", text: "? [a]\n: 1\n", want: ["1:3 expected a text as key"] },
  { why: "an alias as key", text: "a: &k foo\n*k : 3\n", want: ["2:1 expected a text as key"] },
  {
    why: "another version",
    text: "%YAML 1.1\n---\na: yes\n",
    want: ["1:1 the directive `%YAML 1.1` is not read: only `%YAML 1.2` is"],
  },
  {
    why: "a tag directive",
    text: "%TAG ! tag:x,2000:\n---\na: 1\n",
    want: ["1:1 the directive `%TAG ! tag:x,2000:` is not read: only `%YAML 1.2` is"],
  },
  {
    why: "tabs as indentation",
    text: "a:\n\tb: 1\n",
    want: ["2:1 not valid YAML: tabs are not allowed as indentation"],
  },
  {
    why: "text behind the end",
    text: "{a: 1} x\n",
    want: ["1:8 not valid YAML: unexpected scalar at node end"],
  },
  {
    why: "half of a surrogate pair",
    text: '{"a": "\\ud800"}',
    want: ["1:7 the text holds half of a surrogate pair"],
  },
  {
    why: "an alias without anchor",
    text: "a: *x\n",
    want: ["1:4 the alias `*x` has no anchor before it"],
  },
  {
    why: "an alias inside its anchor",
    text: "&a [*a]\n",
    want: ["1:5 the alias `*a` stands inside its own anchor"],
  },
  {
    why: "101 aliases",
    text: `a: &x 1\nb: [${"*x, ".repeat(101)}]\n`,
    want: ["1:1 expected at most 100 aliases in a document"],
  },
  {
    why: "a billion laughs",
    text: laughs.join("\n"),
    want: ["3:40 expected at most 100 aliases, those in aliased nodes included"],
  },
  {
    why: "nesting by aliases",
    text: deepAliases,
    want: ["3:37 expected at most 64 collections inside each other"],
  },
  {
    why: "65 lists inside each other",
    text: `${"[".repeat(65)}${"]".repeat(65)}`,
    want: ["1:65 expected at most 64 collections inside each other"],
  },
  {
    why: "thousands of lists on one line, which overflow the parser's stack",
    text: `${"- ".repeat(20_000)}\nb: 1\n`,
    want: ["1:1 expected at most 64 collections inside each other"],
  },
  {
    why: "deep nesting, unclosed",
    text: "[".repeat(20_000),
    want: ["1:20000 expected at most 64 collections inside each other"],
  },
  {
    why: "deep nesting in one line of dashes",
    text: `${"- ".repeat(20_000)}a`,
    want: ["1:39999 expected at most 64 collections inside each other"],
  },
  {
    why: "deep nesting of explicit keys",
    text: `${"? ".repeat(20_000)}a`,
    want: ["1:39999 expected at most 64 collections inside each other"],
  },
  {
    why: "1 MiB and a byte",
    text: `a: ${"x".repeat(mib - 2)}`,
    want: ["1:1 expected at most 1048576 bytes in a document"],
  },
  {
    why: "1 MiB and a byte in UTF-8",
    text: `a: ${"é".repeat((mib - 2) / 2)}`,
    want: ["1:1 expected at most 1048576 bytes in a document"],
  },
  {
    why: "a file of 16 MiB and a byte",
    text: " ".repeat(16 * mib + 1),
    want: ["1:1 expected at most 16777216 bytes in a file"],
  },
])("$why is refused", ({ text, want }) => {
  const problems = parseYaml(text, defaultYamlLimits).flatMap((document) => document.problems);
  expect(
    problems.map(({ position, message }) => `${position.line}:${position.column} ${message}`),
  ).toEqual(want);
});

test("64 lists inside each other, 100 aliases and 1 MiB are read", () => {
  expect(read(`${"[".repeat(64)}${"]".repeat(64)}`)).toHaveLength(1);
  expect(read(`a: &x 1\nb: [${"*x, ".repeat(100)}]\n`)).toHaveLength(1);
  expect(read(`a: ${"x".repeat(mib - 3)}`)).toHaveLength(1);
  expect(read(`a: 1\n---\n${`b: ${"x".repeat(mib - 10)}\n---\n`.repeat(3)}`)).toHaveLength(4);
});

test.each([
  { maxDocumentBytes: 10, text: "a: 1\n---\nabcd: efgh\n" },
  { maxFileBytes: 10, text: "abcd: efghi\n" },
  { maxNesting: 2, text: "[[[]]]" },
  { maxAliases: 1, text: "[&a x, *a, *a]" },
  { maxNodes: 20, text: "[&a [1, 2, 3, 4, 5], *a, *a, *a]" },
])("a limit is an option: %o", ({ text, ...limits }) => {
  const problems = (given: object) =>
    parseYaml(text, { ...defaultYamlLimits, ...given }).flatMap((document) => document.problems);
  expect(problems({})).toEqual([]);
  expect(problems(limits)).toHaveLength(1);
});

test("several problems of a document are all told, and what can be made out is there", () => {
  const [document] = parseYaml("kind: Role\na: !x 1\na: 2\n", defaultYamlLimits);
  expect(document).toMatchObject({ broken: false, problems: [{}, {}] });
  expect(plain(document?.root ?? null)).toEqual([
    ["kind", "Role"],
    ["a", "1"],
  ]);
});

test("a file of noise is told about briefly", () => {
  for (const noise of ["]".repeat(50_000), "%a\n".repeat(50_000), `[${",".repeat(50_000)}]`]) {
    const problems = parseYaml(noise, defaultYamlLimits).flatMap((document) => document.problems);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.length).toBeLessThan(200);
  }
});
