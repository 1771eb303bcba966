import { defaultRequestOptions, type RequestOptions } from "../../request/options.ts";
import { listOf } from "../shape/collections.ts";
import { headerName } from "../shape/names.ts";
import { record } from "../shape/record.ts";
import { flag, text, whole, word } from "../shape/scalars.ts";
import { optional } from "../shape/shape.ts";

const defaults = defaultRequestOptions;

/** The shape of `request`: each option must equal what the upstream really does (envoy-ext-authz 4.1). */
export const requestOptions = {
  ...record({
    mergeSlashes: optional(flag(), defaults.mergeSlashes, "Empty inner segments are dropped."),
    encodedSlash: optional(
      word("deny", "separator", "literal"),
      defaults.encodedSlash,
      "What `%2F` in a path is: refused, a slash, or data of its segment.",
    ),
    parameters: optional(
      word("deny", "strip", "literal"),
      defaults.parameters,
      "What `;` in a segment is: refused, the end of the segment, or data.",
    ),
    trailingSlash: optional(
      word("distinct", "ignore"),
      defaults.trailingSlash,
      "Whether `/a/` and `/a` are two resources.",
    ),
    caseInsensitive: optional(
      flag(),
      defaults.caseInsensitive,
      "ASCII letters of the path are lower-cased.",
    ),
    relaxedChars: optional(
      text('some of the characters `"<>[]^{}|` and the backtick', /^["<>[\]^{}|`]*$/, 10),
      defaults.relaxedChars,
      "Further characters that a path may hold.",
    ),
    protocol: optional(
      word("mixed", "grpc"),
      defaults.protocol,
      "`grpc`: only gRPC requests pass.",
    ),
    methodOverride: optional(
      word("ignore", "deny", "both"),
      defaults.methodOverride,
      "What headers like `x-http-method-override` do: nothing, a refusal, or both methods are authorized.",
    ),
    maxTargetBytes: optional(whole(1, 65_536), defaults.maxTargetBytes, "Longest request target."),
    maxPathBytes: optional(whole(1, 65_536), defaults.maxPathBytes, "Longest path."),
    maxSegments: optional(whole(1, 4_096), defaults.maxSegments, "Most segments of a path."),
    maxQueryParameters: optional(
      whole(0, 4_096),
      defaults.maxQueryParameters,
      "Most query parameters.",
    ),
    commaHeaders: optional(
      listOf(headerName, { max: 100, uniqueBy: (one) => one }),
      defaults.commaHeaders,
      "Headers whose value may hold commas; any other repeated header that a policy reads is refused.",
    ),
  }),
  defaults,
};

/** Returns the options that differ from the defaults, or undefined where none does. */
export function writeRequestOptions(
  options: RequestOptions,
): Readonly<Record<string, unknown>> | undefined {
  const changed = Object.entries(options).filter(
    ([name, value]) => String(value) !== String(defaults[name as keyof RequestOptions]),
  );
  return changed.length === 0 ? undefined : Object.fromEntries(changed);
}
