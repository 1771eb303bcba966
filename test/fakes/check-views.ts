import type { CheckAttributes } from "../../src/domain/request/attributes.ts";
import type { CheckRequest } from "../../src/gen/envoy/service/auth/v3/external_auth_pb.ts";

/*
 * Two ways to look at one CheckRequest, in the same words: through the scanner's CheckAttributes, and
 * through protobuf-es' message. A test that compares them shows that the scanner reads what is there.
 */

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function decodeStrictly(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** A twin of `coerceUtf8` that tries every length at every place. */
export function coerced(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find(
      (n) => at + n <= bytes.length && decodeStrictly(bytes.subarray(at, at + n)) !== undefined,
    );
    text += length === undefined ? "!" : decodeStrictly(bytes.subarray(at, at + length));
    at += length ?? 1;
  }
  return text;
}

/** The headers that a view shows, unless told otherwise. */
export const headerNames: readonly string[] = [
  ":path",
  ":authority",
  "authorization",
  "content-type",
  "x-a",
  "__proto__",
  "constructor",
  "x-mesh-iam-principal",
  "X_Mesh-IAM_account",
  "x-mesh-iam",
  "",
];
export const extensionNames: readonly string[] = [
  "mesh-iam-service",
  "mesh-iam-account",
  "toString",
  "",
];

function pathBytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** The view of the oracle's message in the words of CheckAttributes, or "denied". */
export function oracleView(
  message: CheckRequest,
  names: readonly string[] = headerNames,
): object | "denied" {
  const { attributes } = message;
  if (attributes === undefined) return "denied";
  const http = attributes.request?.http;
  if (attributes.request !== undefined && http === undefined) return "denied";
  const raw = http?.headerMap;
  if (raw !== undefined && Object.keys(http?.headers ?? {}).length > 0) return "denied";
  const all: [string, string][] =
    raw === undefined
      ? Object.entries(http?.headers ?? {})
      : raw.headers.map((h) => [h.key, h.rawValue.length > 0 ? coerced(h.rawValue) : h.value]);
  if (raw?.headers.some((h) => h.value !== "" && h.rawValue.length > 0)) return "denied";
  const rawPaths =
    raw === undefined
      ? all.filter(([key]) => key === ":path").map(([, value]) => pathBytes(value))
      : raw.headers
          .filter((h) => h.key === ":path")
          .map((h) =>
            h.rawValue.length > 0 ? Buffer.from(h.rawValue).toString("latin1") : pathBytes(h.value),
          );
  const family = all
    .map(([key]) => key)
    .filter((key) => key.toLowerCase().replaceAll("_", "-").startsWith("x-mesh-iam-"));
  if (family.some((name) => !/^[!#$%&'*+.^_`|~0-9a-zA-Z-]+$/.test(name))) return "denied";
  const sourceAddress = attributes.source?.address?.address;
  const destinationAddress = attributes.destination?.address?.address;
  const port =
    destinationAddress?.case === "socketAddress"
      ? destinationAddress.value.portSpecifier
      : undefined;
  const time = attributes.request?.time;
  return {
    hasRequest: http !== undefined,
    method: http?.method ?? "",
    target: pathBytes(http?.path ?? ""),
    rawPath: rawPaths.at(-1) ?? null,
    rawPathCount: rawPaths.length,
    rawHeaders: raw !== undefined,
    host: http?.host ?? "",
    scheme: http?.scheme ?? "",
    protocol: http?.protocol ?? "",
    requestTimeMs:
      time === undefined ? null : Number(time.seconds) * 1000 + Math.floor(time.nanos / 1_000_000),
    sourcePrincipal: attributes.source?.principal ?? "",
    destinationPrincipal: attributes.destination?.principal ?? "",
    sourceAddress:
      sourceAddress?.case === "socketAddress" ? sourceAddress.value.address || null : null,
    destinationPort: port?.case === "portValue" ? port.value : null,
    destinationLabels: new Map(Object.entries(attributes.destination?.labels ?? {})),
    serverName: attributes.tlsSession?.sni ?? "",
    hasPeerCertificate: (attributes.source?.certificate ?? "") !== "",
    extensions: extensionNames.map((name) => own(attributes.contextExtensions, name)),
    headers: names.map((name) => {
      const values = all.filter(([key]) => key === name).map(([, value]) => value);
      return values.length === 0 ? undefined : { value: values.join(","), count: values.length };
    }),
    identityHeaderNames: [...new Set(family)].sort(),
  };
}

function own(record: { [key: string]: string }, name: string): string | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Members that are shown as they are. */
const plain = [
  "hasRequest",
  "method",
  "target",
  "rawPath",
  "rawPathCount",
  "rawHeaders",
  "host",
  "scheme",
  "protocol",
  "requestTimeMs",
  "sourcePrincipal",
  "destinationPrincipal",
  "sourceAddress",
  "destinationPort",
  "destinationLabels",
  "serverName",
  "hasPeerCertificate",
] as const satisfies readonly (keyof CheckAttributes)[];

/** The same of what the scanner says. */
export function scannerView(
  attributes: CheckAttributes,
  names: readonly string[] = headerNames,
): object {
  return {
    ...Object.fromEntries(plain.map((member) => [member, attributes[member]])),
    extensions: extensionNames.map((name) => attributes.contextExtension(name)),
    headers: names.map((name) => attributes.header(name)),
    identityHeaderNames: [...attributes.identityHeaderNames].sort(),
  };
}
