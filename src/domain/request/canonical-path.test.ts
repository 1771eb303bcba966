import { expect, test } from "vitest";
import {
  accepted,
  type Options,
  queries,
  reject,
  rejected,
  requests,
} from "../../../test/corpus/attack/path/canonical-rows.ts";
import { attributesOf, type WrittenRequest } from "./attributes-of.ts";
import { canonicalise } from "./canonical-path.ts";
import { isDenied } from "./denied.ts";
import { defaultRequestOptions } from "./options.ts";
import { pathDetails } from "./rejection.ts";

function read(request: WrittenRequest, options: Options = {}) {
  return canonicalise(attributesOf(request), { ...defaultRequestOptions, ...options });
}

function accepts(request: WrittenRequest, options: Options, path: string, segments: number) {
  const result = read(request, options);
  if (isDenied(result) || result.type === "connect") throw new Error(JSON.stringify(result));
  expect(result.path).toBe(path);
  expect(result.segments).toHaveLength(segments);
  return result;
}

test.each(accepted)(
  "row %i: `%s` %j is read as `%s`, %i segments",
  (_row, path, options, text, n) => {
    const result = accepts({ path }, options, text, n);
    expect(result).toMatchObject({ type: "http", method: "GET", rawPath: path, rawQuery: null });
  },
);

test.each(rejected)("row %i: `%s` %j is refused as %s", (_row, path, options, detail) => {
  expect(read({ path }, options)).toEqual(reject(detail));
});

test.each([
  ["a path of the greatest length", `/${"a".repeat(4095)}`, {}],
  ["a target of the greatest length", `/a?${"b".repeat(16_381)}`, {}],
  ["the greatest number of segments", "/a".repeat(128), {}],
  ["the greatest number of parameters", `/a?${"x=1&".repeat(256)}`, {}],
  ["bounds are options", "/a/b", { maxSegments: 2, maxPathBytes: 4, maxTargetBytes: 4 }],
])("accepted: %s", (_why, path, options) => {
  expect(read({ path }, options)).toMatchObject({ type: "http" });
});

test.each(queries)("row %i: the query of `%s` is %j", (_row, path, pairs) => {
  const mark = path.indexOf("?");
  const result = accepts({ path }, {}, path.slice(0, mark), 1);
  expect(result.query.entries.map(({ name, value }) => [name, value])).toEqual(pairs);
  expect(result.rawQuery).toBe(path.slice(mark + 1));
});

test.each(requests)("row %i: %j %j", (_row, request, options, want) => {
  expect(read(request, options)).toMatchObject(want);
});

test("the table is whole: each row from 1 to 129 is a case, once", () => {
  const rows = [accepted, rejected, queries, requests].flatMap((cases) =>
    cases.map(([row]) => row),
  );
  expect(rows.sort((a, b) => a - b)).toEqual(Array.from({ length: 129 }, (_, i) => i + 1));
});

test("every detail of the closed enum is met by a row of the table", () => {
  const met = new Set<string>(rejected.map(([, , , detail]) => detail));
  for (const [, , , want] of requests) if ("detail" in want) met.add(String(want.detail));
  expect([...met].sort()).toEqual([...pathDetails].sort());
});

test.each<[string, WrittenRequest, Options, object]>([
  [
    "raw text beside another path",
    { path: "/a", encoding: "header_map", rawPaths: ["/b"] },
    {},
    reject("path-mismatch"),
  ],
  [
    "CONNECT with a raw path",
    { method: "CONNECT", path: "", rawPaths: ["/x"], encoding: "header_map", host: "h:1" },
    {},
    reject("connect-with-path"),
  ],
  [
    "CONNECT with a path that the raw headers deny",
    { method: "CONNECT", path: "/x", rawPaths: [""], encoding: "header_map", host: "h:1" },
    {},
    reject("connect-with-path"),
  ],
  ["an empty method", { method: "" }, {}, reject("bad-method")],
  ["a method with a blank behind it", { method: "GET " }, {}, reject("bad-method")],
  [
    "an encoded slash is refused in a path of mixed case as well",
    { path: "/a%2fb" },
    { caseInsensitive: true },
    reject("encoded-slash"),
  ],
  [
    "case folding reaches decoded letters",
    { path: "/%41%C3%89" },
    { caseInsensitive: true },
    { path: "/a\u00c9" },
  ],
  [
    "case folding stops at ASCII",
    { path: "/%E2%84%AA" },
    { caseInsensitive: true },
    { path: "/\u212a" },
  ],
  ["a four-byte character", { path: "/%F0%9F%98%80" }, {}, { path: "/\u{1f600}" }],
  ["past the last code point", { path: "/%F4%90%80%80" }, {}, reject("invalid-utf8")],
  ["an overlong three-byte form", { path: "/%E0%80%AF" }, {}, reject("invalid-utf8")],
  ["an overlong four-byte form", { path: "/%F0%80%80%AF" }, {}, reject("invalid-utf8")],
  ["a sequence cut by the end", { path: "/%E2%82" }, {}, reject("invalid-utf8")],
  ["a sequence cut by a slash", { path: "/%C3/%A9" }, {}, reject("invalid-utf8")],
  ["a lone continuation byte", { path: "/%80" }, {}, reject("invalid-utf8")],
  [
    "a control decides before bad UTF-8 in front of it",
    { path: "/%FF%00" },
    {},
    reject("encoded-control"),
  ],
  ["the first bad segment decides", { path: "/%2e/.." }, {}, reject("encoded-dot")],
  [
    "a bad character in the query decides before the path",
    { path: "/a|b?\x01" },
    {},
    reject("bad-character"),
  ],
  [
    "a semicolon inside a literal segment that is dots",
    { path: "/..;" },
    { parameters: "literal" },
    { path: "/..;" },
  ],
  [
    "a backslash no option opens",
    { path: "/a\\b" },
    { relaxedChars: "\\|" },
    reject("bad-path-character"),
  ],
  [
    "an encoded slash next to a percent sign",
    { path: "/%25%2F" },
    { encodedSlash: "literal" },
    { path: "/%%2F" },
  ],
  [
    "a gRPC type with a parameter",
    { path: "/a.B/C", method: "POST", headers: { "content-type": " Application/GRPC;v=1 " } },
    {},
    { type: "grpc", rpc: "C" },
  ],
  [
    "a longer type that begins like gRPC's",
    { path: "/a", method: "POST", headers: { "content-type": "application/grpcish" } },
    {},
    { type: "http" },
  ],
  [
    "two content types, one of them gRPC, raw",
    {
      path: "/a.B/C",
      method: "POST",
      encoding: "header_map",
      headers: { "content-type": ["application/grpc", "text/plain"] },
    },
    {},
    reject("ambiguous-content-type"),
  ],
  [
    "two content types, none of them gRPC",
    { path: "/a", method: "POST", headers: { "content-type": ["text/plain", "text/html"] } },
    {},
    { type: "http" },
  ],
  [
    "an override in the query",
    { path: "/a?_method=DELETE" },
    { methodOverride: "deny" },
    reject("method-override"),
  ],
  [
    "an override by an underscore twin",
    { headers: { x_http_method: "PUT" } },
    { methodOverride: "deny" },
    reject("method-override"),
  ],
  [
    "an override in lower case",
    { headers: { "x-http-method": "delete" } },
    { methodOverride: "both" },
    { overrideMethod: "DELETE" },
  ],
  [
    "an override by an encoded query value",
    { path: "/a?_METHOD=%64elete" },
    { methodOverride: "both" },
    { overrideMethod: "DELETE" },
  ],
  [
    "an override that changes nothing",
    { headers: { "x-http-method": "GET" } },
    { methodOverride: "both" },
    { overrideMethod: null },
  ],
  [
    "two different overrides",
    { path: "/?_method=PUT", headers: { "x-http-method": "DELETE" } },
    { methodOverride: "both" },
    reject("method-override"),
  ],
  [
    "a repeated override",
    { headers: { "x-http-method": ["PUT", "PUT"] } },
    { methodOverride: "both" },
    reject("method-override"),
  ],
  [
    "an override that is no token",
    { headers: { "x-http-method": "" } },
    { methodOverride: "both" },
    reject("method-override"),
  ],
])("%s", (_why, request, options, want) => {
  expect(read(request, options)).toMatchObject(want);
});

test("a refusal is decided by the first step that fails: lengths before bytes, counts before contents", () => {
  expect(read({ path: `/\0${"a".repeat(65_536)}` })).toEqual(reject("target-too-long"));
  expect(read({ path: `/|${"a".repeat(5000)}` })).toEqual(reject("path-too-long"));
  const wide = { maxTargetBytes: 1 << 20, maxPathBytes: 1 << 20 };
  expect(read({ path: "/..".repeat(10_000) }, wide)).toEqual(reject("too-many-segments"));
  expect(read({ path: "/%00".repeat(10_000) }, wide)).toEqual(reject("too-many-segments"));
  expect(read({ path: `/a?${"%zz&".repeat(300)}` })).toEqual(reject("too-many-parameters"));
});
