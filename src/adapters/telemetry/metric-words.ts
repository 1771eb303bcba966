import { credentialReasons } from "../../iam/reason.ts";

/* The words that labels of metrics can hold: closed lists, and their types for what counts them. */

export const outcomes = ["allow", "deny", "error"] as const;
export const authMethods = ["none", "jwt", "session", "jwt-svid", "sigv4", "mtls"] as const;
export const stages = ["authenticate", "map", "resolve", "evaluate", "respond"] as const;
export const decisionCacheResults = ["hit", "miss", "bypass", "stale"] as const;
export const evictionReasons = ["capacity", "ttl", "revision"] as const;
export const tokenCacheResults = ["hit", "miss", "refused"] as const;
export const embeddedKeyHeaders = ["jwk", "jku", "x5u", "x5c"] as const;
export const pullResults = [
  "applied",
  "unchanged",
  "network",
  "auth",
  "signature",
  "digest",
  "expired",
  "parse",
  "rollback",
] as const;
export const objectKinds = ["policies", "principals", "roles", "resources"] as const;
export const sinks = ["stdout", "file"] as const;
export const sinkResults = ["written", "dropped", "failed", "sampled-out"] as const;
export const certificates = ["grpc"] as const;
/** The RPCs that are served, with the label values of go-grpc-prometheus. */
export const rpcs = {
  check: ["unary", "envoy.service.auth.v3.Authorization", "Check"],
  healthCheck: ["unary", "grpc.health.v1.Health", "Check"],
  healthWatch: ["server_stream", "grpc.health.v1.Health", "Watch"],
} as const;
export const rpcLabels = {
  grpc_type: ["unary", "server_stream"],
  grpc_service: ["envoy.service.auth.v3.Authorization", "grpc.health.v1.Health"],
  grpc_method: ["Check", "Watch"],
} as const;
/** gRPC's own spelling, index = code. */
export const rpcCodes = [
  "OK",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
] as const;
export const decisionWords = ["allowed", "explicitDeny", "implicitDeny"] as const;
/** `ok`, or why a credential was refused. */
export const authenticationResults = ["ok", ...credentialReasons] as const;

export type Stage = (typeof stages)[number];
export type DecisionCacheResult = (typeof decisionCacheResults)[number];
export type EvictionReason = (typeof evictionReasons)[number];
export type TokenCacheResult = (typeof tokenCacheResults)[number];
export type EmbeddedKeyHeader = (typeof embeddedKeyHeaders)[number];
export type PullResult = (typeof pullResults)[number];
export type SinkName = (typeof sinks)[number];
export type SinkResult = (typeof sinkResults)[number];
export type CertificateName = (typeof certificates)[number];
export type Rpc = keyof typeof rpcs;
