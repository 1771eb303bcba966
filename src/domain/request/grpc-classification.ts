import { foldAscii } from "../../iam/ascii.ts";
import type { CheckAttributes, HeaderField } from "./attributes.ts";
import type { Denied } from "./denied.ts";
import { reject } from "./rejection.ts";

/** The two names of an RPC's path, `/<service>/<rpc>`. */
export interface RpcName {
  readonly service: string;
  readonly rpc: string;
}

const rpcPath = /^\/([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\/([A-Za-z_]\w*)$/;
const grpcType = "application/grpc";

/**
 * Returns whether the request declares itself gRPC (gRPC-Web included) by its content type. Decides the
 * form of a denial for requests that were refused before they had a canonical form.
 */
export function isGrpcRequest(attributes: CheckAttributes): boolean {
  const field = attributes.header("content-type");
  return field !== undefined && grpcDeclaration(field) === "grpc";
}

/**
 * Returns the RPC that a request with a gRPC content type names, null for any other content type, or
 * the refusal `ambiguous-content-type` or `bad-grpc-path`. The path is matched raw, so that no escape
 * hides in an RPC's name. Source: envoy-ext-authz 4.2, step 7.
 */
export function classifyGrpc(
  attributes: CheckAttributes,
  method: string,
  rawPath: string,
  rawQuery: string | null,
): RpcName | null | Denied {
  const field = attributes.header("content-type");
  if (field === undefined) return null;
  const declaration = grpcDeclaration(field);
  if (declaration === "other") return null;
  if (declaration === "ambiguous") return reject("ambiguous-content-type");
  const name = method === "POST" && rawQuery === null ? parseRpcPath(rawPath) : null;
  return name ?? reject("bad-grpc-path");
}

/** Returns the service and RPC of `path`, or null where it is no RPC's path. Linear in the text. */
export function parseRpcPath(path: string): RpcName | null {
  const match = rpcPath.exec(path);
  if (match === null) return null;
  const [, service = "", rpc = ""] = match;
  return { service, rpc };
}

function grpcDeclaration(field: HeaderField): "grpc" | "other" | "ambiguous" {
  if (field.value.length < grpcType.length) return "other";
  const type = foldAscii(field.value.trim());
  if (!type.includes(grpcType)) return "other";
  // Repeated headers come comma-joined in both encodings; which one the upstream reads is its secret.
  if (field.count > 1 || type.includes(",")) return "ambiguous";
  return isGrpcType(type) ? "grpc" : "other";
}

function isGrpcType(type: string): boolean {
  if (!type.startsWith(grpcType)) return false;
  let end = grpcType.length;
  if (type.startsWith("-web-text", end)) end += "-web-text".length;
  else if (type.startsWith("-web", end)) end += "-web".length;
  if (end === type.length) return true;
  const next = type.charCodeAt(end);
  return next === 0x2b || next === 0x3b;
}
