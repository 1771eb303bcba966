import { attributesOf } from "../../../src/domain/request/attributes-of.ts";
import { canonicalise } from "../../../src/domain/request/canonical-path.ts";
import { isDenied } from "../../../src/domain/request/denied.ts";
import { defaultRequestOptions, type RequestOptions } from "../../../src/domain/request/options.ts";
import { pathDetails } from "../../../src/domain/request/rejection.ts";
import { must, type Target } from "../target.ts";

const details: readonly string[] = pathDetails;

/** FUZ-07: a canonical form or a detail of the closed list, and canonical forms hold what they say. */
export const path: Target = {
  name: "path",
  id: "FUZ-07",
  about: "a byte of options and a request target, one character a byte",
  words: [
    "/",
    "%2f",
    "%2F",
    "%2e%2e",
    "/../",
    "//",
    ";a=b",
    "\\",
    "%00",
    "%25",
    "%c3%a9",
    "?a=1&a",
  ],
  fuzz(data) {
    const options = optionsOf(data[0] ?? 0);
    const target = Buffer.from(data.subarray(1)).toString("latin1");
    const canonical = canonicalise(attributesOf({ path: target }), options);
    if (isDenied(canonical)) {
      must(
        details.includes(canonical.detail ?? ""),
        `a detail of the list, not ${canonical.detail}`,
      );
      return;
    }
    if (canonical.type === "connect") return;
    const { segments, trailingSlash } = canonical;
    must(
      segments.every((segment) => segment !== "" && segment !== "." && segment !== ".."),
      "no segment is empty or of dots",
    );
    const text = `/${segments.join("/")}${trailingSlash ? "/" : ""}`;
    must(canonical.path === text, "a path is its segments");
    must(!/\p{Cc}/u.test(canonical.path), "a path has no control character");
  },
};

function optionsOf(bits: number): RequestOptions {
  return {
    ...defaultRequestOptions,
    mergeSlashes: (bits & 1) !== 0,
    encodedSlash: (["deny", "separator", "literal", "deny"] as const)[(bits >> 1) & 3] ?? "deny",
    parameters: (["deny", "strip", "literal", "deny"] as const)[(bits >> 3) & 3] ?? "deny",
    trailingSlash: (bits & 32) === 0 ? "distinct" : "ignore",
    caseInsensitive: (bits & 64) !== 0,
    protocol: (bits & 128) === 0 ? "mixed" : "grpc",
  };
}
