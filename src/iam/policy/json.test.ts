import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type JsonLimits, type JsonValue, parseJson } from "./json.ts";

const limits: JsonLimits = { maxBytes: 131_072, maxDepth: 16, characters: "any" };

function codesOf(text: string, some: Partial<JsonLimits> = {}): readonly string[] {
  const parsed = parseJson(text, { ...limits, ...some });
  return parsed.ok ? [] : parsed.problems.map((problem) => problem.code);
}

// The plain value, with numbers by their source text.
function plain(value: JsonValue): unknown {
  switch (value.type) {
    case "object":
      return new Map(value.entries.map((entry) => [entry.key, plain(entry.value)]));
    case "array":
      return value.items.map(plain);
    case "number":
      return { number: value.text };
    case "null":
      return null;
    default:
      return value.value;
  }
}

function read(text: string): unknown {
  const parsed = parseJson(text, limits);
  if (!parsed.ok) throw new Error(parsed.problems[0]?.message);
  return plain(parsed.value);
}

describe("strict JSON", () => {
  test.each([
    ["an object", '{"a":1}', new Map([["a", { number: "1" }]])],
    ["an empty object", " { } ", new Map()],
    ["an empty array", "[\t]", []],
    [
      "nested values",
      '[[], {"a": [true, false, null]}]',
      [[], new Map([["a", [true, false, null]]])],
    ],
    ["a number by its source text", "1.50e+3", { number: "1.50e+3" }],
    ["a negative zero", "-0", { number: "-0" }],
    ["every short escape", '"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t'],
    ["a surrogate pair in escapes", '"\\ud83d\\uDE00"', "😀"],
    [
      "every hexadecimal digit",
      '"\\u0123\\u4567\\u89aA\\ubBcC\\udDeE\\ufF00"',
      "\u0123\u4567\u89aa\ubbcc\uddee\uff00",
    ],
    ["escapes between plain runs", '"a\\u0041b\\u0042c"', "aAbBc"],
    [
      "property names of Object.prototype",
      '{"__proto__":1}',
      new Map([["__proto__", { number: "1" }]]),
    ],
  ])("reads %s", (_why, text, want) => {
    expect(read(text)).toEqual(want);
  });

  test.each([
    ["nothing", ""],
    ["blanks only", " \n"],
    ["T-DOC-34 a byte-order mark", "\ufeff{}"],
    ["T-DOC-34 a comment", "{ // why\n}"],
    ["T-DOC-34 a block comment", "/* */ {}"],
    ["T-DOC-34 a trailing comma in an object", '{"a":1,}'],
    ["T-DOC-34 a trailing comma in an array", "[1,]"],
    ["a comma alone", "[,]"],
    ["text behind the value", "{} {}"],
    ["single quotes", "{'a':1}"],
    ["a bare key", "{a:1}"],
    ["a missing colon", '{"a" 1}'],
    ["a missing comma", '{"a":1 "b":2}'],
    ["an array without comma", "[1 2]"],
    ["an open object", '{"a":1'],
    ["an open array", "[1"],
    ["an open string", '"abc'],
    ["a raw newline in a string", '"a\nb"'],
    ["a NUL in a string", '"\u0000"'],
    ["an unknown escape", '"\\x41"'],
    ["a short unicode escape", '"\\u00g0"'],
    ["a cut unicode escape", '"\\u00'],
    ["a leading zero", "01"],
    ["a leading plus", "+1"],
    ["a bare minus", "-"],
    ["a bare point", "1."],
    ["no whole part", ".5"],
    ["an empty exponent", "1e+"],
    ["NaN", "NaN"],
    ["Infinity", "-Infinity"],
    ["a cut word", "tru"],
    ["a word in another case", "True"],
    ["undefined", "undefined"],
    ["a no-break space", "\u00a0{}"],
    ["a form feed between values", "[1,\f2]"],
  ])("refuses %s", (_why, text) => {
    expect(codesOf(text)).toEqual(["JSON_SYNTAX_ERROR"]);
  });

  test.each([
    ["T-DOC-01 at the second level", '{"S":[{"Effect":"Deny","Effect":"Allow"}]}', "S[0].Effect"],
    ["POL-013 at the top", '{"Version":"1","Version":"2"}', "Version"],
    ["in another spelling", '{"a":{"b":1,"\\u0062":2}}', "a.b"],
    ["of an empty name", '{"":1,"":2}', ""],
  ])("refuses a key twice: %s", (_why, text, path) => {
    const parsed = parseJson(text, limits);
    expect(parsed).toMatchObject({ ok: false, problems: [{ code: "DUPLICATE_KEY", path }] });
  });

  test("all duplicates are reported, with their places", () => {
    const parsed = parseJson('{"a":1,\n "a":2,\n "b":{"c":1,"c":2}}', limits);
    expect(parsed).toMatchObject({
      ok: false,
      problems: [
        { path: "a", position: { line: 2, column: 2, offset: 9 } },
        { path: "b.c", position: { line: 3, column: 13, offset: 28 } },
      ],
    });
  });

  test("positions count lines by LF, CR and CRLF, columns and offsets in UTF-16 units", () => {
    const parsed = parseJson('{\r\n\t"a": ["😀",\r1]\n}', limits);
    if (!parsed.ok || parsed.value.type !== "object") throw new Error("expected an object");
    const [entry] = parsed.value.entries;
    expect(entry?.position).toEqual({ line: 2, column: 2, offset: 4 });
    if (entry?.value.type !== "array") throw new Error("expected an array");
    expect(entry.value.items.map((item) => item.position)).toEqual([
      { line: 2, column: 8, offset: 10 },
      { line: 3, column: 1, offset: 16 },
    ]);
  });

  test("a value knows its own source", () => {
    const text = ' {"d" : {"Version": "x", "n": [1.0 , 2]}} ';
    const parsed = parseJson(text, limits);
    if (!parsed.ok || parsed.value.type !== "object") throw new Error("expected an object");
    const value = parsed.value.entries[0]?.value;
    expect(text.slice(value?.position.offset, value?.end)).toBe('{"Version": "x", "n": [1.0 , 2]}');
  });
});

describe("limits of the text", () => {
  test.each([
    ["POL-025 100,000 arrays", "[".repeat(100_000), "NESTING_LIMIT"],
    ["100,000 objects", '{"a":'.repeat(100_000), "TEXT_SIZE_LIMIT"],
    ["one level too many", `${"[".repeat(17)}${"]".repeat(17)}`, "NESTING_LIMIT"],
    ["T-DOC-35 a megabyte", `"${"a".repeat(1 << 20)}"`, "TEXT_SIZE_LIMIT"],
    ["two-byte characters above the limit", `"${"é".repeat(65_536)}"`, "TEXT_SIZE_LIMIT"],
    ["three-byte characters above the limit", `"${"€".repeat(43_691)}"`, "TEXT_SIZE_LIMIT"],
    ["four-byte characters above the limit", `"${"😀".repeat(32_768)}"`, "TEXT_SIZE_LIMIT"],
  ])("%s: refused, the limit is named", (_why, text, code) => {
    expect(codesOf(text)).toEqual([code]);
  });

  test.each([
    ["the deepest nesting", `${"[".repeat(16)}${"]".repeat(16)}`],
    ["exactly the size in ASCII", `"${"a".repeat(131_070)}"`],
    ["exactly the size in two-byte characters", `"${"é".repeat(65_535)}"`],
    ["exactly the size in four-byte characters", `"${"😀".repeat(32_767)}aa"`],
  ])("%s: accepted", (_why, text) => {
    expect(codesOf(text)).toEqual([]);
  });

  test("a text full of mistakes gives a hundred problems, not a hundred thousand", () => {
    expect(codesOf(`{${'"a":1,'.repeat(5000)}"b":1}`)).toHaveLength(100);
  });
});

describe("DOC-1 characters, after unescaping", () => {
  test.each([
    ["tab, line feed and carriage return", "\\t\\n\\r", [true, true, true]],
    ["NUL", "\\u0000", [false, false, true]],
    ["form feed", "\\f", [false, false, true]],
    ["DEL, which lies inside AWS's range", "\u007f", [true, false, true]],
    ["POL-039 U+0085", "\u0085", [true, false, true]],
    ["U+0080", "\u0080", [true, false, true]],
    ["U+009F", "\u009f", [true, false, true]],
    ["U+00A0", "\u00a0", [true, true, true]],
    ["U+00FF", "ÿ", [true, true, true]],
    ["T-DOC-20 U+0100", "Ā", [false, true, true]],
    ["T-DOC-20 U+0100 as escape", "\\u0100", [false, true, true]],
    ["an astral character", "😀", [false, true, true]],
    ["a pair of escapes", "\\ud83d\\ude00", [false, true, true]],
    ["a lone high surrogate", "\\ud83d", [false, false, true]],
    ["a high surrogate before a letter", "\\ud83da", [false, false, true]],
    ["a lone low surrogate", "\\ude00", [false, false, true]],
    ["surrogates in the wrong order", "\\ude00\\ud83d", [false, false, true]],
  ])("%s", (_why, text, accepted) => {
    const sets = ["latin", "wide", "any"] as const;
    expect(sets.map((characters) => codesOf(`"${text}"`, { characters }).length === 0)).toEqual(
      accepted,
    );
  });

  test("a key is judged like a value", () => {
    const parsed = parseJson('{"Ā":1}', { ...limits, characters: "latin" });
    expect(parsed).toMatchObject({ ok: false, problems: [{ code: "UNSUPPORTED_CHARACTER" }] });
  });
});

describe("JSON.parse as an oracle", () => {
  test("every text that JSON.stringify makes is read to the same value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(normal(read(JSON.stringify(value)))).toEqual(normal(fromPlain(value)));
      }),
    );
  });

  test("no text throws, and what is accepted JSON.parse accepts too", () => {
    const pieces = fc.constantFrom(...'{}[],:"\\ \n01e.-+', "true", "null", '"a"', "\\u00e9");
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join("");
        const ours = parseJson(text, limits).ok;
        if (ours) JSON.parse(text);
        else if (codesOf(text)[0] === "JSON_SYNTAX_ERROR") expect(() => JSON.parse(text)).toThrow();
      }),
      { numRuns: 2000 },
    );
  });
});

function fromPlain(value: unknown): unknown {
  if (typeof value === "number") return { number: JSON.stringify(value) };
  if (Array.isArray(value)) return value.map(fromPlain);
  if (typeof value !== "object" || value === null) return value;
  return new Map(Object.entries(value).map(([key, member]) => [key, fromPlain(member)]));
}

// Integer-like keys come first in an object, whatever the text says: compare maps in one order.
function normal(value: unknown): unknown {
  if (value instanceof Map) {
    const entries = [...value].map(([key, member]) => [key, normal(member)] as const);
    return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  return Array.isArray(value) ? value.map(normal) : value;
}
