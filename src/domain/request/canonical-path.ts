import { isToken } from "./ascii.ts";
import type { CheckAttributes } from "./attributes.ts";
import { canonicalHost } from "./canonical-host.ts";
import { type Denied, isDenied } from "./denied.ts";
import { classifyGrpc } from "./grpc-classification.ts";
import { overrideMethod } from "./method-override.ts";
import type { RequestOptions } from "./options.ts";
import { canonicalPath } from "./path-segments.ts";
import { type QueryParameters, readQuery } from "./query-parameters.ts";
import { reject } from "./rejection.ts";

/** A request in the one form that routes, resource names and condition keys are made from. */
export type CanonicalRequest = HttpRequest | GrpcRequest | ConnectRequest;

interface TargetRequest {
  /** As received, case-sensitive; of gRPC always `POST`. */
  readonly method: string;
  /** A second method that has to be allowed as well (`methodOverride: both`), else null. */
  readonly overrideMethod: string | null;
  /** Decoded once: `mesh:RequestPath`. */
  readonly path: string;
  readonly segments: readonly string[];
  readonly trailingSlash: boolean;
  readonly query: QueryParameters;
  /** As received, for signatures over what was sent. */
  readonly rawPath: string;
  /** Null where the target has no `?`. */
  readonly rawQuery: string | null;
}

export interface HttpRequest extends TargetRequest {
  readonly type: "http";
}

/** A request whose content type is gRPC's or gRPC-Web's. */
export interface GrpcRequest extends TargetRequest {
  readonly type: "grpc";
  /** `pkg.Service` */
  readonly service: string;
  readonly rpc: string;
}

/** CONNECT: an authority and no path. */
export interface ConnectRequest {
  readonly type: "connect";
  readonly method: "CONNECT";
  readonly host: string;
  readonly port: number;
}

/**
 * Returns the canonical form of a request, or its refusal: reason `ambiguous-path`, for an authority
 * that is none `ambiguous-host`, with a detail of `pathDetails`; the first failing step decides.
 * Total, synchronous, linear in the target.
 *
 * Only percent-encoded data bytes are normalised. Whatever two parsers could read differently is
 * refused, not repaired, whether or not the proxy has normalised before. Only for a Check that has a
 * request. Source: envoy-ext-authz 4.2.
 */
export function canonicalise(
  attributes: CheckAttributes,
  options: RequestOptions,
): CanonicalRequest | Denied {
  const { method } = attributes;
  if (!isToken(method)) return reject("bad-method");
  const target = receivedTarget(attributes);
  if (typeof target !== "string") return target;
  if (method === "CONNECT") return connection(attributes, target);

  if (target.length > options.maxTargetBytes) return reject("target-too-long");
  if (target.charCodeAt(0) !== 0x2f) return reject("not-origin-form");
  if (!isVisible(target)) return reject("bad-character");
  // Raw bytes and sanitised text of one message: apart from replaced bytes, refused above, one text.
  if (target !== attributes.target) return reject("path-mismatch");

  const mark = target.indexOf("?");
  const rawPath = mark < 0 ? target : target.slice(0, mark);
  const rawQuery = mark < 0 ? null : target.slice(mark + 1);
  if (rawPath.length > options.maxPathBytes) return reject("path-too-long");
  if (!isPath(rawPath, options.relaxedChars)) return reject("bad-path-character");
  const canonical = canonicalPath(rawPath, options);
  if (isDenied(canonical)) return canonical;

  const query = readQuery(rawQuery, options.maxQueryParameters);
  if (isDenied(query)) return query;
  const override = overrideMethod(attributes, query, options.methodOverride);
  if (override !== null && typeof override !== "string") return override;

  const rpc = classifyGrpc(attributes, method, rawPath, rawQuery);
  if (rpc !== null && isDenied(rpc)) return rpc;
  if (rpc === null && options.protocol === "grpc") return reject("not-grpc");
  const { path, segments, trailingSlash } = canonical;
  return rpc === null
    ? {
        type: "http",
        method,
        overrideMethod: override,
        path,
        segments,
        trailingSlash,
        query,
        rawPath,
        rawQuery,
      }
    : {
        type: "grpc",
        method,
        overrideMethod: override,
        path,
        segments,
        trailingSlash,
        query,
        rawPath,
        rawQuery,
        service: rpc.service,
        rpc: rpc.rpc,
      };
}

/**
 * Returns the target of the request. Raw bytes win over sanitised text: in `header_map` a replaced
 * byte is still itself. The joined map was sanitised like the field beside it, so the two must agree.
 */
function receivedTarget(attributes: CheckAttributes): string | Denied {
  const { rawPath, target } = attributes;
  if (rawPath === null) return target;
  if (attributes.rawPathCount > 1) return reject("path-mismatch");
  if (!attributes.rawHeaders && rawPath !== target) return reject("path-mismatch");
  return rawPath;
}

function connection(attributes: CheckAttributes, target: string): ConnectRequest | Denied {
  if (target !== "" || attributes.target !== "") return reject("connect-with-path");
  const authority = canonicalHost(attributes.host);
  if (authority === null || authority.port === null) return reject("bad-host");
  return { type: "connect", method: "CONNECT", host: authority.host, port: authority.port };
}

/** No control, blank or byte beyond ASCII, and no `#`: those never belong to an origin-form. */
function isVisible(target: string): boolean {
  for (let i = 0; i < target.length; i++) {
    const c = target.charCodeAt(i);
    if (c < 0x21 || c > 0x7e || c === 0x23) return false;
  }
  return true;
}

// pchar of RFC 3986, 3.3, with the slash and the percent sign.
const pathCharacters = new Uint8Array(128);
for (const c of "-._~!$&'()*+,;=:@/%0123456789") pathCharacters[c.charCodeAt(0)] = 1;
for (let c = 0x41; c <= 0x5a; c++) pathCharacters[c] = pathCharacters[c | 0x20] = 1;

/** What `relaxedChars` may open. The backslash is never among them: half of the world reads a slash. */
const relaxable = '"<>[]^{}|`';

function isPath(rawPath: string, relaxedChars: string): boolean {
  for (let i = 0; i < rawPath.length; i++) {
    if (pathCharacters[rawPath.charCodeAt(i)] === 1) continue;
    const c = rawPath.charAt(i);
    if (!relaxable.includes(c) || !relaxedChars.includes(c)) return false;
  }
  return true;
}
