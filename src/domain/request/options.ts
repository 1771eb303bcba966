/** How a request target is read: each option must equal what the upstream does (envoy-ext-authz 4.1). */
export interface RequestOptions {
  readonly mergeSlashes: boolean;
  readonly encodedSlash: "deny" | "separator" | "literal";
  readonly parameters: "deny" | "strip" | "literal";
  readonly trailingSlash: "distinct" | "ignore";
  readonly caseInsensitive: boolean;
  /** A subset of `"<>[]^{}|` and the backtick. */
  readonly relaxedChars: string;
  readonly protocol: "mixed" | "grpc";
  readonly methodOverride: "ignore" | "deny" | "both";
  readonly maxTargetBytes: number;
  readonly maxPathBytes: number;
  readonly maxSegments: number;
  readonly maxQueryParameters: number;
  /** Headers whose value may hold commas (KEY-8), lower-case. */
  readonly commaHeaders: readonly string[];
}

/** The defaults of envoy-ext-authz 4.1. */
export const defaultRequestOptions: RequestOptions = Object.freeze({
  mergeSlashes: false,
  encodedSlash: "deny",
  parameters: "deny",
  trailingSlash: "distinct",
  caseInsensitive: false,
  relaxedChars: "",
  protocol: "mixed",
  methodOverride: "ignore",
  maxTargetBytes: 16_384,
  maxPathBytes: 4_096,
  maxSegments: 128,
  maxQueryParameters: 256,
  commaHeaders: Object.freeze([]),
});
