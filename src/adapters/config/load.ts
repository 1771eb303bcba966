import type { Loaded, Problem } from "../../iam/problem.ts";
import { quote } from "../../iam/problem.ts";
import { isLocal } from "./address.ts";
import { type ConfigFile, readFileLayer } from "./file-layer.ts";
import { type Given, type Layer, refusal } from "./layer.ts";
import {
  type AuthorizerConfig,
  authorizerSettings,
  type BundleSource,
  type SourceKey,
  sourceKeys,
} from "./schema.ts";
import { type Members, namedSettings } from "./setting.ts";
import { readEnvironmentLayer, readFlagLayer, readSetLayer } from "./text-layers.ts";

export interface ConfigInput {
  readonly file?: ConfigFile | undefined;
  /** The process environment; only `MESH_IAM_…` is looked at. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Flags by their camelCase name; `--config` and `--set` are not among them. */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** The texts of `--set`: `bundle.persist=false`. */
  readonly sets?: readonly string[];
}

/**
 * Returns the authorizer's configuration, complete and deeply frozen, or every problem of every layer.
 *
 * File < environment < `--set` < flags, key by key; lists are replaced, not joined. The source is one
 * setting with four spellings: the highest layer that names one decides. Findings are warnings.
 * Problem codes: `UNKNOWN_KEY`, `WRONG_VALUE`, `DUPLICATE_KEY`, `SYNTAX`, `TOO_LARGE`, `MISSING`,
 * `CONFLICT`; `path` is the key, the variable or the flag. Reads no disk.
 * Source: kubernetes-and-observability 2.3.
 */
export function loadConfig(input: ConfigInput): Loaded<AuthorizerConfig> {
  const problems: Problem[] = [];
  const findings: Problem[] = [];
  const layers = readLayers(input, authorizerSettings, problems, findings);
  const given = new Map(layers.flatMap((layer) => [...layer]));
  const source = chooseSource(layers, problems);
  const settingsValue = build(authorizerSettings, given, "", new Set<string>(sourceKeys));
  if (source === null || problems.length > 0) return { ok: false, problems };

  const config = Object.freeze({ ...settingsValue, source }) as unknown as AuthorizerConfig;
  checkTogether(config, given, problems, findings);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: config, findings };
}

/** Returns what file, environment, `--set` and flags give of `members`, the lowest layer first. */
export function readLayers(
  input: ConfigInput,
  members: Members,
  problems: Problem[],
  findings: Problem[],
): readonly Layer[] {
  const settings = namedSettings(members);
  return [
    input.file === undefined
      ? new Map<string, Given>()
      : readFileLayer(input.file, members, problems),
    readEnvironmentLayer(input.env ?? {}, settings, problems, findings),
    readSetLayer(input.sets ?? [], settings, problems),
    readFlagLayer(input.flags ?? {}, settings, problems),
  ];
}

/** Returns `file:line:column key: message` as far as these are known. */
export function formatConfigProblem(problem: Problem, filePath: string | undefined): string {
  const { position, path, message } = problem;
  const isOutside = path.startsWith("MESH_IAM_") || path.startsWith("--");
  const file = filePath === undefined || isOutside ? "" : filePath;
  const place = position === null ? file : `${file}:${position.line}:${position.column}`;
  const words = [place, path].filter((word) => word !== "");
  return words.length === 0 ? message : `${words.join(" ")}: ${message}`;
}

/** Returns the frozen value of `members` with defaults where nothing is given. */
export function build(
  members: Members,
  given: ReadonlyMap<string, Given>,
  prefix: string,
  leftOut: ReadonlySet<string>,
): Readonly<Record<string, unknown>> {
  const value: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(members)) {
    const key = prefix + name;
    if (leftOut.has(key)) continue;
    if (entry.type === "group") value[name] = build(entry.members, given, `${key}.`, leftOut);
    else value[name] = given.has(key) ? given.get(key)?.value : entry.default;
  }
  return Object.freeze(value);
}

function chooseSource(layers: readonly Layer[], problems: Problem[]): BundleSource | null {
  for (const layer of layers.toReversed()) {
    const named = sourceKeys.filter((key) => (layer.get(key)?.value ?? null) !== null);
    const [key, second] = named;
    if (key === undefined) continue;
    const place = layer.get(key) as Given;
    if (second !== undefined) {
      const other = layer.get(second) as Given;
      const message = `expected one source, got ${named.map(quote).join(" and ")}`;
      problems.push(refusal("CONFLICT", other.name, message, other.position));
      return null;
    }
    return sourceOf(key, String(place.value));
  }
  // Behind a refused value the missing source is no news.
  if (problems.length === 0) {
    const message = `expected a source: one of ${sourceKeys.map(quote).join(", ")}`;
    problems.push(refusal("MISSING", "", message));
  }
  return null;
}

function sourceOf(key: SourceKey, value: string): BundleSource {
  switch (key) {
    case "documents":
    case "folder":
      return Object.freeze({ type: key, path: value });
    case "controlPlane":
    case "http":
      return Object.freeze({ type: key, url: value });
  }
}

/** Whether the paths of bundles can be put behind `url`. */
function canStandInFront(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed !== null && parsed.search === "" && parsed.hash === "";
}

/** What no single setting can say about itself. */
function checkTogether(
  config: AuthorizerConfig,
  given: ReadonlyMap<string, Given>,
  problems: Problem[],
  findings: Problem[],
): void {
  const refuse = (code: string, key: string, message: string) => {
    const place = given.get(key);
    problems.push(refusal(code, place?.name ?? key, message, place?.position ?? null));
  };
  const { bundle, tls } = config;
  const source = config.source.type;
  const url = "url" in config.source ? config.source.url : null;
  if (source !== "documents" && bundle.rootFingerprints.length === 0) {
    // A signature that nobody can check is a failure, not a formality (2.7).
    refuse("MISSING", "bundle.rootFingerprints", `expected the root keys behind ${quote(source)}`);
  }
  if (url !== null && !canStandInFront(url)) {
    const message = `expected a host, a port up to 65535 and a path, got ${quote(url)}`;
    refuse("WRONG_VALUE", source, message);
  }
  if (url !== null && bundle.organization === null) {
    const message = `expected the organization that ${quote(source)} is asked about`;
    refuse("MISSING", "bundle.organization", message);
  }
  if (source === "http" && bundle.slice === null) {
    // Whoever serves files does not know who may have which (BUN-32).
    refuse("MISSING", "bundle.slice", "expected the slice that `http` is asked for");
  }
  if ((bundle.tls.certFile === null) !== (bundle.tls.keyFile === null)) {
    const missing = bundle.tls.certFile === null ? "bundle.tls.certFile" : "bundle.tls.keyFile";
    refuse("MISSING", missing, "expected `bundle.tls.certFile` and `bundle.tls.keyFile` together");
  }
  if (bundle.polling.maxDelaySeconds < bundle.polling.minDelaySeconds) {
    const { minDelaySeconds, maxDelaySeconds } = bundle.polling;
    const message = `expected at least \`bundle.polling.minDelaySeconds\` (${minDelaySeconds}), got \`${maxDelaySeconds}\``;
    refuse("CONFLICT", "bundle.polling.maxDelaySeconds", message);
  }
  if (bundle.headValidSeconds <= bundle.headRenewSeconds) {
    const message = `expected more than \`bundle.headRenewSeconds\` (${bundle.headRenewSeconds}), got \`${bundle.headValidSeconds}\``;
    refuse("CONFLICT", "bundle.headValidSeconds", message);
  }
  if ((tls.certFile === null) !== (tls.keyFile === null)) {
    const missing = tls.certFile === null ? "tls.certFile" : "tls.keyFile";
    refuse("MISSING", missing, "expected `tls.certFile` and `tls.keyFile` together");
  }
  if (tls.clientCaFile !== null && tls.certFile === null) {
    refuse("MISSING", "tls.certFile", "expected a certificate, since `tls.clientCaFile` is given");
  }
  if (config.grpcMaxRecvMsgSize <= config.limits.maxCheckBytes) {
    const message = `expected more than \`limits.maxCheckBytes\` (${config.limits.maxCheckBytes}): a message above it is a gRPC error, which a fail-open Envoy lets pass`;
    refuse("CONFLICT", "grpcMaxRecvMsgSize", message);
  }
  if (!isLocal(config.addr) && tls.clientCaFile === null) {
    const place = given.get("addr");
    findings.push({
      code: "EXPOSED",
      severity: "SECURITY_WARNING",
      path: place?.name ?? "addr",
      message:
        "whoever reaches this address can ask for decisions; expected a socket, loopback or `tls.clientCaFile`",
      position: place?.position ?? null,
    });
  }
}
