import fc from "fast-check";
import { expect, test } from "vitest";
import { attributesOf } from "./attributes-of.ts";
import { canonicalise, type HttpRequest } from "./canonical-path.ts";
import { isDenied } from "./denied.ts";
import { defaultRequestOptions, type RequestOptions } from "./options.ts";
import { escapedPath, plainPath } from "./path-segments.ts";
import { pathDetails } from "./rejection.ts";

const options: fc.Arbitrary<RequestOptions> = fc.record({
  mergeSlashes: fc.boolean(),
  encodedSlash: fc.constantFrom("deny", "separator", "literal"),
  parameters: fc.constantFrom("deny", "strip", "literal"),
  trailingSlash: fc.constantFrom("distinct", "ignore"),
  caseInsensitive: fc.boolean(),
  relaxedChars: fc.constantFrom("", "|", '"<>[]^{}|`'),
  protocol: fc.constantFrom("mixed", "grpc"),
  methodOverride: fc.constantFrom("ignore", "deny", "both"),
  maxTargetBytes: fc.constantFrom(24, 16_384),
  maxPathBytes: fc.constantFrom(20, 4096),
  maxSegments: fc.constantFrom(3, 128),
  maxQueryParameters: fc.constantFrom(2, 256),
  commaHeaders: fc.constant([]),
});

// The alphabet in which paths have been confused.
const pieces = fc.constantFrom(
  ..."/ . .. ... // ; ;x= a B 1 ~ ! * + & = ? # \\ | { } % %2 %2F %2f %5C %2e %2E %3B %3b %00 %0a".split(
    " ",
  ),
  ..."%7F %20 %25 %2525 %C3%A9 %C2%85 %C3 %A9 %FF %ED%A0%80 %E2%84%AA %F0%9F%98%80 %F4%90%80%80".split(
    " ",
  ),
  " ",
  "\0",
  "\t",
  "\xff",
  "\u{1f600}",
  "\ud800",
);
const targets = fc.array(pieces, { maxLength: 10 }).map((parts) => parts.join(""));
const paths = targets.map((target) => `/${target}`);

test("the function is total: a canonical form or a detail of the closed enum, never a throw", () => {
  const methods = fc.oneof(
    fc.constantFrom("GET", "POST", "CONNECT", "get", "", "a b"),
    fc.string(),
  );
  const types = fc.constantFrom("application/grpc", "application/grpc,a", "text/plain", "");
  const requests = fc.record({
    method: methods,
    path: fc.oneof(targets, paths, fc.string({ unit: "binary" })),
    rawPaths: fc.oneof(fc.constant(undefined), fc.array(paths, { maxLength: 2 })),
    encoding: fc.constantFrom("headers" as const, "header_map" as const),
    host: fc.oneof(fc.constantFrom("a", "a:1", "[::1]:1"), fc.string()),
    headers: fc.record({ "content-type": types, "x-http-method": fc.constantFrom("PUT", "a b") }),
  });
  const details: readonly string[] = pathDetails;
  fc.assert(
    fc.property(requests, options, ({ rawPaths, ...rest }, opt) => {
      const written = rawPaths === undefined ? rest : { ...rest, rawPaths };
      const result = canonicalise(attributesOf(written), opt);
      if (isDenied(result)) {
        expect(details).toContain(result.detail);
        expect(result.reason).toBe(
          result.detail === "bad-host" ? "ambiguous-host" : "ambiguous-path",
        );
      }
    }),
    { numRuns: 1000 },
  );
});

function accepted(path: string, opt: RequestOptions): HttpRequest | null {
  const result = canonicalise(attributesOf({ path }), opt);
  return isDenied(result) || result.type !== "http" ? null : result;
}

test("an accepted path has no empty inner segment, no dot segment and no control character", () => {
  let seen = 0;
  fc.assert(
    fc.property(paths, options, (path, opt) => {
      const result = accepted(path, opt);
      if (result === null) return;
      seen++;
      expect(result.segments.every((s) => s !== "" && s !== "." && s !== "..")).toBe(true);
      expect(result.path).not.toMatch(/\p{Cc}/u);
      expect(result.path).not.toContain("//");
      const slash = result.trailingSlash ? "/" : "";
      expect(result.path).toBe(`/${result.segments.join("/")}${slash}`);
    }),
    { numRuns: 5000 },
  );
  expect(seen).toBeGreaterThan(200);
});

/** Encodes every byte of a segment that is not unreserved, and leaves dots and encoded slashes alone. */
function encodeSegment(segment: string): string {
  return segment
    .split(/%2F/i)
    .map((part) =>
      encodeURIComponent(part).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`),
    )
    .join("%2F");
}

test("encoding the segments of an accepted path and reading it again gives the same path", () => {
  let seen = 0;
  fc.assert(
    fc.property(paths, options, (path, opt) => {
      const result = accepted(path, opt);
      if (result === null) return;
      // Encoding makes a path longer: this is about its content, not its bounds.
      const roomy = { ...opt, maxTargetBytes: 16_384, maxPathBytes: 16_384 };
      const encoded = `/${result.segments.map(encodeSegment).join("/")}${result.trailingSlash ? "/" : ""}`;
      const again = accepted(encoded, roomy);
      seen++;
      expect({ path: again?.path, segments: again?.segments }).toEqual({
        path: result.path,
        segments: result.segments,
      });
    }),
    { numRuns: 5000 },
  );
  expect(seen).toBeGreaterThan(200);
});

/** What two targets of one path may differ in: the encoding of data, and what an option declares equal. */
function withoutDeclaredDifferences(rawPath: string, opt: RequestOptions): string {
  let path = rawPath;
  if (opt.encodedSlash === "separator") path = path.replace(/%2f/gi, "/");
  if (opt.mergeSlashes) path = path.replace(/\/+/g, "/");
  if (opt.parameters === "strip") path = path.replace(/;[^/]*/g, "");
  const decoded = path
    .split("/")
    .map((part) => decodeURIComponent(part.replace(/%2f/gi, "%252F")))
    .join("/");
  const folded = opt.caseInsensitive ? decoded.replace(/[A-Z]/g, (c) => c.toLowerCase()) : decoded;
  return opt.trailingSlash === "ignore" && folded !== "/" ? folded.replace(/\/$/, "") : folded;
}

test("two accepted targets with one path differ only in what an option declares equal", () => {
  let equal = 0;
  const nearby = fc.constantFrom(
    "/a",
    "/A",
    "/%61",
    "/a/",
    "//a",
    "/a;x",
    "/a%2F",
    "/a%2f",
    "/a%20",
    "/",
    "//",
  );
  const either = fc.oneof(nearby, paths);
  fc.assert(
    fc.property(either, either, options, (first, second, opt) => {
      const a = accepted(first, opt);
      const b = accepted(second, opt);
      if (a === null || b === null) return;
      const same = a.path === b.path;
      if (same && first !== second) equal++;
      const x = withoutDeclaredDifferences(a.rawPath, opt);
      expect(x === withoutDeclaredDifferences(b.rawPath, opt)).toBe(same);
    }),
    { numRuns: 10_000 },
  );
  expect(equal).toBeGreaterThan(50);
});

test("the fast path for paths without an escape agrees with the slow one byte for byte", () => {
  const plain = fc
    .array(fc.constantFrom("/", "//", ".", "..", ";", ";x", "a", "B", "aB1", "~!$&'()*+,=:@-_"), {
      maxLength: 12,
    })
    .map((parts) => `/${parts.join("")}`);
  let kept = 0;
  fc.assert(
    fc.property(plain, options, (path, opt) => {
      const fast = plainPath(path, opt);
      expect(fast).toEqual(escapedPath(path, opt));
      if (!isDenied(fast)) kept++;
    }),
    { numRuns: 10_000 },
  );
  expect(kept).toBeGreaterThan(500);
});

test("an escaped query and the same query without escapes have the same parameters", () => {
  const word = fc.stringMatching(/^[a-zA-Z0-9_.~-]{0,5}$/);
  fc.assert(
    fc.property(fc.array(fc.tuple(word, word), { maxLength: 6 }), (pairs) => {
      const encode = (text: string) =>
        [...text].map((c) => `%${c.charCodeAt(0).toString(16)}`).join("");
      const plain = pairs.map(([k, v]) => `${k}=${v}`).join("&");
      const escaped = pairs.map(([k, v]) => `${encode(k)}=${encode(v)}`).join("&");
      const read = (query: string) => accepted(`/?${query}`, defaultRequestOptions)?.query.entries;
      expect(read(escaped)).toEqual(read(plain));
      expect(read(plain)).toEqual(pairs.map(([name, value]) => ({ name, value })));
    }),
  );
});
