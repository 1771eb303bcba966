import { reasons } from "../../iam/reason.ts";
import {
  authenticationResults,
  authMethods,
  certificates,
  decisionCacheResults,
  decisionWords,
  embeddedKeyHeaders,
  evictionReasons,
  objectKinds,
  outcomes,
  pullResults,
  rpcCodes,
  rpcLabels,
  sinkResults,
  sinks,
  stages,
  tokenCacheResults,
} from "./metric-words.ts";
import { storeOperations, storeResults } from "./store-operations.ts";

/** How much `/metrics` shows; each level holds the ones before it. */
export type MetricsLevel = "minimal" | "standard" | "full";

/**
 * One metric. `labels` maps a label to its closed list of values; `fronted`, `configured` and
 * `build` are lists that are closed at run time: the services, the providers' aliases, constants.
 */
export interface MetricSpec {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: Readonly<Record<string, readonly string[] | "fronted" | "configured" | "build">>;
  /** Upper bounds in seconds, ascending, without +Inf. Histograms only. */
  readonly buckets?: readonly number[];
  readonly level: MetricsLevel;
  /** The one component that has it; absent: all of them. */
  readonly component?: "control-plane";
}

const us = 1e-6;
const ms = 1e-3;
// Scaled up and divided, so that each bound is the very double its decimal text reads as.
const steps = (unit: number, ...counts: readonly number[]): number[] =>
  counts.map((count) => count / Math.round(1 / unit));

const checkBuckets = [
  ...steps(us, 25, 50, 100, 250, 500),
  ...steps(ms, 1, 2.5, 5, 10, 25, 50, 100, 250),
];
const stageBuckets = [...steps(us, 1, 2.5, 5, 10, 25, 50, 100, 250, 500), ...steps(ms, 1, 5, 25)];
const storeBuckets = [
  ...steps(us, 100, 250, 500),
  ...steps(ms, 1, 2.5, 5, 10, 25, 50, 100, 500),
  1,
  5,
  10,
];
const bundleBuckets = [...steps(ms, 1, 5, 10, 50, 100, 500), 1, 5, 10, 30];

/**
 * Every metric, once (kubernetes-and-observability 5.2). What a dashboard, an alert
 * or a page of the documents names is looked up here. Labels are closed lists: never an ARN, a path,
 * a user agent, or an issuer out of a token.
 */
export const metricTable = {
  buildInfo: {
    name: "mesh_iam_build_info",
    type: "gauge",
    help: "1; what runs, in its labels.",
    labels: { component: "build", version: "build", commit: "build", node_version: "build" },
    level: "minimal",
  },
  checks: {
    name: "mesh_iam_checks_total",
    type: "counter",
    help: "Checks answered, by what Envoy was told and why.",
    labels: { outcome: outcomes, reason: reasons, auth_method: authMethods, service: "fronted" },
    level: "minimal",
  },
  checkDuration: {
    name: "mesh_iam_check_duration_seconds",
    type: "histogram",
    help: "Time from the arrival of a Check to its answer.",
    labels: { outcome: outcomes, cache: ["hit", "miss"] },
    buckets: checkBuckets,
    level: "minimal",
  },
  stageDuration: {
    name: "mesh_iam_check_stage_duration_seconds",
    type: "histogram",
    help: "Time of one stage of a Check; a sample of all Checks.",
    labels: { stage: stages },
    buckets: stageBuckets,
    level: "standard",
  },
  checksInFlight: {
    name: "mesh_iam_checks_in_flight",
    type: "gauge",
    help: "Checks that have arrived and are not answered.",
    labels: {},
    level: "minimal",
  },
  connections: {
    name: "mesh_iam_connections",
    type: "gauge",
    help: "Open connections of the Check listener.",
    labels: {},
    level: "minimal",
  },
  checksCancelled: {
    name: "mesh_iam_checks_cancelled_total",
    type: "counter",
    help: "Checks that the proxy gave up before they were answered.",
    labels: {},
    level: "minimal",
  },
  shadowDecisions: {
    name: "mesh_iam_shadow_decisions_total",
    type: "counter",
    help: "Decisions of services in shadow mode: what Envoy was told and what was decided.",
    labels: { enforced: ["allowed"], shadow: decisionWords },
    level: "minimal",
  },
  selfCheckSamples: {
    name: "mesh_iam_self_check_samples_total",
    type: "counter",
    help: "Live decisions that the reference evaluator decided again.",
    labels: {},
    level: "minimal",
  },
  selfCheckMismatches: {
    name: "mesh_iam_self_check_mismatches_total",
    type: "counter",
    help: "Of these, decided otherwise. Anything but 0 is a bug.",
    labels: {},
    level: "minimal",
  },
  decisionCacheRequests: {
    name: "mesh_iam_decision_cache_requests_total",
    type: "counter",
    help: "Look-ups in the decision cache.",
    labels: { result: decisionCacheResults },
    level: "minimal",
  },
  decisionCacheEntries: {
    name: "mesh_iam_decision_cache_entries",
    type: "gauge",
    help: "Decisions kept.",
    labels: {},
    level: "minimal",
  },
  decisionCacheMaxEntries: {
    name: "mesh_iam_decision_cache_max_entries",
    type: "gauge",
    help: "Decisions that may be kept.",
    labels: {},
    level: "minimal",
  },
  decisionCacheEvictions: {
    name: "mesh_iam_decision_cache_evictions_total",
    type: "counter",
    help: "Decisions that left the cache.",
    labels: { reason: evictionReasons },
    level: "minimal",
  },
  authentications: {
    name: "mesh_iam_authentications_total",
    type: "counter",
    help: "Credentials judged.",
    labels: { auth_method: authMethods, result: authenticationResults },
    level: "minimal",
  },
  tokenEmbeddedKeys: {
    name: "mesh_iam_token_embedded_keys_total",
    type: "counter",
    help: "Tokens that name their own key; it is ignored.",
    labels: { header: embeddedKeyHeaders },
    level: "minimal",
  },
  tokenCacheRequests: {
    name: "mesh_iam_token_cache_requests_total",
    type: "counter",
    help: "Look-ups in the token cache; refused: a token whose signature was found bad before.",
    labels: { result: tokenCacheResults },
    level: "minimal",
  },
  jwksRefresh: {
    name: "mesh_iam_jwks_refresh_total",
    type: "counter",
    help: "Fetches of a provider's key set.",
    labels: { issuer: "configured", result: ["ok", "failed"] },
    level: "minimal",
  },
  jwksLastSuccess: {
    name: "mesh_iam_jwks_last_success_timestamp_seconds",
    type: "gauge",
    help: "When a provider's key set was last fetched and accepted.",
    labels: { issuer: "configured" },
    level: "minimal",
  },
  bundleReady: {
    name: "mesh_iam_bundle_ready",
    type: "gauge",
    help: "1 once a bundle is active.",
    labels: {},
    level: "minimal",
  },
  bundleEpoch: {
    name: "mesh_iam_bundle_epoch",
    type: "gauge",
    help: "Epoch of the active bundle.",
    labels: {},
    level: "minimal",
  },
  bundleRevision: {
    name: "mesh_iam_bundle_revision",
    type: "gauge",
    help: "Revision of the active bundle.",
    labels: {},
    level: "minimal",
  },
  bundleCoveredRevision: {
    name: "mesh_iam_bundle_covered_revision",
    type: "gauge",
    help: "Everything up to this revision is reflected in the active bundle.",
    labels: {},
    level: "minimal",
  },
  bundleHeadExpiry: {
    name: "mesh_iam_bundle_head_expiry_timestamp_seconds",
    type: "gauge",
    help: "When the last head expires.",
    labels: {},
    level: "minimal",
  },
  bundleKeySetExpiry: {
    name: "mesh_iam_bundle_key_set_expiry_timestamp_seconds",
    type: "gauge",
    help: "When the key set in force expires.",
    labels: {},
    level: "minimal",
  },
  bundlePoisonedObjects: {
    name: "mesh_iam_bundle_poisoned_objects",
    type: "gauge",
    help: "Objects of the active bundle that cannot be used: what they apply to is denied.",
    labels: {},
    level: "minimal",
  },
  bundleAcceptStale: {
    name: "mesh_iam_bundle_accept_stale",
    type: "gauge",
    help: "1 where bootstrap.acceptStale is on.",
    labels: {},
    level: "minimal",
  },
  bundleLastSuccess: {
    name: "mesh_iam_bundle_last_success_timestamp_seconds",
    type: "gauge",
    help: "When a head that names the active bundle was last accepted; a renewal counts.",
    labels: {},
    level: "minimal",
  },
  controlPlaneConnected: {
    name: "mesh_iam_control_plane_connected",
    type: "gauge",
    help: "1 while the carrier of bundles answers; 0 for a source that reads files.",
    labels: {},
    level: "minimal",
  },
  bundleCreated: {
    name: "mesh_iam_bundle_created_timestamp_seconds",
    type: "gauge",
    help: "When the last head was signed.",
    labels: {},
    level: "minimal",
  },
  bundleSize: {
    name: "mesh_iam_bundle_size_bytes",
    type: "gauge",
    help: "Parts of the active bundle, uncompressed.",
    labels: {},
    level: "minimal",
  },
  bundlePulls: {
    name: "mesh_iam_bundle_pulls_total",
    type: "counter",
    help: "Attempts to advance, whatever the carrier.",
    labels: { result: pullResults },
    level: "minimal",
  },
  bundlePullDuration: {
    name: "mesh_iam_bundle_pull_duration_seconds",
    type: "histogram",
    help: "Time of one attempt to advance that changed something.",
    labels: { result: ["applied"] },
    buckets: bundleBuckets,
    level: "standard",
  },
  bundleCompileDuration: {
    name: "mesh_iam_bundle_compile_duration_seconds",
    type: "histogram",
    help: "Time to compile a bundle into the index.",
    labels: {},
    buckets: bundleBuckets,
    level: "standard",
  },
  bundleObjects: {
    name: "mesh_iam_bundle_objects",
    type: "gauge",
    help: "Objects of the active bundle.",
    labels: { kind: objectKinds },
    level: "minimal",
  },
  decisionLogEvents: {
    name: "mesh_iam_decision_log_events_total",
    type: "counter",
    help: "Checks by what became of their record; for each sink the results add up to all Checks.",
    labels: { sink: sinks, result: sinkResults },
    level: "minimal",
  },
  decisionLogQueue: {
    name: "mesh_iam_decision_log_queue_length",
    type: "gauge",
    help: "Records that wait to be written.",
    labels: {},
    level: "minimal",
  },
  certificateExpiry: {
    name: "mesh_iam_certificate_expiry_timestamp_seconds",
    type: "gauge",
    help: "When a certificate in use expires.",
    labels: { certificate: certificates },
    level: "minimal",
  },
  storeOperationDuration: {
    name: "mesh_iam_store_operation_duration_seconds",
    type: "histogram",
    help: "Time of a call of the store, its retries included; of a snapshot until it is open.",
    labels: { op: storeOperations, result: storeResults },
    buckets: storeBuckets,
    level: "standard",
    component: "control-plane",
  },
  rpcHandled: {
    name: "grpc_server_handled_total",
    type: "counter",
    help: "RPCs completed, by status; a denial is an OK.",
    labels: { ...rpcLabels, grpc_code: rpcCodes },
    level: "full",
  },
  rpcDuration: {
    name: "grpc_server_handling_seconds",
    type: "histogram",
    help: "Time from an RPC's start to its status.",
    labels: rpcLabels,
    buckets: checkBuckets,
    level: "full",
  },
} as const satisfies Record<string, MetricSpec>;

export type MetricKey = keyof typeof metricTable;
