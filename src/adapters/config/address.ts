import { type Parsed, quote } from "../../iam/problem.ts";

/** Where a listener binds. A host is an IP address or a name, without brackets. */
export type Address =
  | { readonly type: "tcp"; readonly host: string; readonly port: number }
  | { readonly type: "unix"; readonly path: string }
  | { readonly type: "abstract"; readonly name: string };

export type TcpAddress = Extract<Address, { type: "tcp" }>;

/** `sun_path` holds 108 bytes, one of them the final NUL or, in the abstract space, the leading one. */
const maxSocketBytes = 107;
const schemes = "expected `grpc://host:port`, `unix:///path` or `unix://@name`";

/**
 * Returns the address of the Check listener, frozen.
 *
 * Forms: `grpc://host:port` (IPv6 hosts in brackets), `unix:///absolute/path`, `unix://@abstract`.
 * Refusals: `address-invalid`. Port 0 lets the system choose one.
 * Source: kubernetes-and-observability 2.2.
 */
export function parseAddress(text: string): Parsed<Address> {
  if (text.startsWith("grpc://")) return parseTcpAddress(text.slice("grpc://".length));
  if (!text.startsWith("unix://")) return refuse(`${schemes}, got ${quote(text)}`);
  const rest = text.slice("unix://".length);
  if (Buffer.byteLength(rest) > maxSocketBytes) {
    return refuse(`expected a socket of at most ${maxSocketBytes} bytes, got ${quote(text)}`);
  }
  if (rest.includes("\0")) return refuse(`${schemes}, got ${quote(text)}`);
  if (rest.startsWith("@") && rest.length > 1) {
    return { ok: true, value: Object.freeze({ type: "abstract", name: rest.slice(1) }) };
  }
  if (rest.startsWith("/") && !rest.endsWith("/")) {
    return { ok: true, value: Object.freeze({ type: "unix", path: rest }) };
  }
  return refuse(`${schemes}, got ${quote(text)}`);
}

/** Returns `host:port` taken apart, frozen. Refusals: `address-invalid`. */
export function parseTcpAddress(text: string): Parsed<TcpAddress> {
  const colon = text.lastIndexOf(":");
  const port = text.slice(colon + 1);
  const host = text.slice(0, Math.max(colon, 0));
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    return refuse(`expected \`host:port\` with a port from 0 to 65535, got ${quote(text)}`);
  }
  const bracketed = /^\[[0-9A-Fa-f:.]+\]$/.test(host);
  if (!bracketed && !/^[A-Za-z0-9._-]{1,253}$/.test(host)) {
    return refuse(`expected \`host:port\`, an IPv6 host in brackets, got ${quote(text)}`);
  }
  const plain = bracketed ? host.slice(1, -1) : host;
  return { ok: true, value: Object.freeze({ type: "tcp", host: plain, port: Number(port) }) };
}

/** Returns the text that `parseAddress` reads back into an equal address. */
export function formatAddress(address: Address): string {
  switch (address.type) {
    case "tcp":
      return `grpc://${formatTcpAddress(address)}`;
    case "unix":
      return `unix://${address.path}`;
    case "abstract":
      return `unix://@${address.name}`;
  }
}

/** Returns `host:port`, an IPv6 host in brackets. */
export function formatTcpAddress(address: TcpAddress): string {
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}

/** True when only this host or this pod can reach the address: a socket file or loopback. */
export function isLocal(address: Address): boolean {
  if (address.type !== "tcp") return true;
  return address.host === "localhost" || address.host === "::1" || address.host.startsWith("127.");
}

function refuse(message: string): Parsed<never> {
  return { ok: false, code: "address-invalid", message };
}
