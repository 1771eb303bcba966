import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { WrittenConnection, WrittenRequest } from "../../src/domain/request/attributes-of.ts";
import { CheckRequestSchema } from "../../src/gen/envoy/service/auth/v3/external_auth_pb.ts";

export type Written = WrittenRequest & WrittenConnection;

const utf8 = new TextEncoder();

/**
 * Returns the bytes of the CheckRequest that Envoy would send about a request written down by hand:
 * `decode` makes of them what `attributesOf` makes of the request itself.
 */
export function checkRequest(written: Written = {}): Uint8Array {
  const { method = "GET", requestTimeMs } = written;
  const path = written.path ?? (method === "CONNECT" ? "" : "/");
  const http = {
    method,
    path,
    host: written.host ?? "localhost",
    scheme: written.scheme ?? "http",
    protocol: written.protocol ?? "HTTP/1.1",
    ...headersOf(written, path),
  };
  const time = requestTimeMs === undefined ? {} : { time: timestampFromMs(requestTimeMs) };
  return bytesOf({ ...connectionOf(written), request: { http, ...time } });
}

/** Returns the bytes of a TCP check: a connection and no request. */
export function checkConnection(written: WrittenConnection = {}): Uint8Array {
  return bytesOf(connectionOf(written));
}

function bytesOf(attributes: object): Uint8Array {
  return toBinary(CheckRequestSchema, create(CheckRequestSchema, { attributes }));
}

function headersOf({ headers = {}, encoding = "headers", rawPaths }: Written, path: string) {
  const entries = Object.entries(headers).flatMap(([name, given]) =>
    [given].flat().map((value) => [name.toLowerCase(), value] as const),
  );
  const all = [...(rawPaths ?? [path]).map((raw) => [":path", raw] as const), ...entries];
  if (encoding === "header_map") {
    const raw = all.map(([key, value]) => ({ key, rawValue: utf8.encode(value) }));
    return { headerMap: { headers: raw } };
  }
  const joined = new Map<string, string>();
  for (const [key, value] of all) {
    const before = joined.get(key);
    joined.set(key, before === undefined ? value : `${before},${value}`);
  }
  return { headers: Object.fromEntries(joined) };
}

function connectionOf(written: WrittenConnection) {
  const { sourceAddress = "127.0.0.1", destinationPort = null, hasPeerCertificate } = written;
  const { serverName = "" } = written;
  return {
    source: {
      ...(sourceAddress === null ? {} : { address: socketAddress(sourceAddress, 40_000) }),
      principal: written.sourcePrincipal ?? "",
      certificate: hasPeerCertificate === true ? "-----BEGIN%20CERTIFICATE-----" : "",
    },
    destination: {
      ...(destinationPort === null ? {} : { address: socketAddress("10.0.0.9", destinationPort) }),
      principal: written.destinationPrincipal ?? "",
      labels: { ...written.destinationLabels },
    },
    contextExtensions: { ...written.contextExtensions },
    ...(serverName === "" ? {} : { tlsSession: { sni: serverName } }),
  };
}

function socketAddress(address: string, port: number) {
  const portSpecifier = { case: "portValue" as const, value: port };
  return { address: { case: "socketAddress" as const, value: { address, portSpecifier } } };
}
