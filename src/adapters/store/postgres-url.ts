import { readFile } from "node:fs/promises";
import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";

/** Where and how to connect; what is absent is the driver's default (`PGPASSWORD`, `.pgpass`). */
export interface PostgresAddress {
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly ssl: false | TlsFiles;
}

interface TlsFiles {
  /** Whom the server's certificate must be of, where it is an IP address. */
  readonly host: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

const files = { sslrootcert: "ca", sslcert: "cert", sslkey: "key" } as const;
const known = ["host", "sslmode", ...Object.keys(files)];

/**
 * Returns what a `postgres://` URL says. TLS with `verify-full` unless it is a Unix socket or the URL
 * has `sslmode=disable` (STO-35); every weaker mode is refused, because it looks safe and is not.
 * Throws `store-unusable`; a message never has the password.
 */
export async function parsePostgresUrl(text: string): Promise<PostgresAddress> {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw unusable("expected postgres://USER@HOST:PORT/DATABASE");
  }
  for (const name of url.searchParams.keys()) {
    if (!known.includes(name)) {
      throw unusable(`unknown parameter ${quote(name)}, expected one of ${known.join(", ")}`);
    }
  }
  const host = url.searchParams.get("host") ?? url.hostname.replace(/^\[(.*)\]$/, "$1");
  return {
    ...(host === "" ? {} : { host }),
    ...(url.port === "" ? {} : { port: Number(url.port) }),
    ...(url.username === "" ? {} : { user: decodeURIComponent(url.username) }),
    ...(url.password === "" ? {} : { password: decodeURIComponent(url.password) }),
    ...(url.pathname.length < 2 ? {} : { database: decodeURIComponent(url.pathname.slice(1)) }),
    ssl: await tlsOf(url.searchParams, host),
  };
}

async function tlsOf(parameters: URLSearchParams, host: string): Promise<false | TlsFiles> {
  const mode = parameters.get("sslmode") ?? "verify-full";
  if (mode === "disable" || host.startsWith("/")) return false;
  if (mode !== "verify-full") {
    throw unusable(
      `sslmode ${quote(mode)} does not check whom it talks to, expected verify-full or disable`,
    );
  }
  const tls: { -readonly [K in keyof TlsFiles]: TlsFiles[K] } = { host };
  for (const [parameter, part] of Object.entries(files)) {
    const path = parameters.get(parameter);
    if (path !== null) tls[part] = await readPem(parameter, path);
  }
  return tls;
}

async function readPem(parameter: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : cause;
    throw unusable(`${parameter} ${quote(path)} cannot be read: ${code}`, cause);
  }
}

function unusable(message: string, cause?: unknown): MeshIamError {
  return new MeshIamError("store-unusable", `the address of PostgreSQL: ${message}`, { cause });
}
