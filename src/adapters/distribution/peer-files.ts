import { createPrivateKey, X509Certificate } from "node:crypto";
import { type Parsed, quote } from "../../iam/problem.ts";
import { type Disk, errorCodeOf } from "./disk.ts";

/** Files by which a sidecar proves itself to a carrier, and knows it. Null: not used. */
export interface PeerFiles {
  /** A bearer token, as the kubelet projects and rotates it. */
  readonly tokenFile: string | null;
  /** Authorities trusted instead of Node's, PEM. */
  readonly caFile: string | null;
  /** The own certificate chain, PEM; goes with `keyFile`. */
  readonly certFile: string | null;
  readonly keyFile: string | null;
}

/** What the files held when they were read. `token` and `key` are secrets. */
export interface PeerMaterial {
  readonly token: string | null;
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

const maxTokenBytes = 16_384;
const maxPemBytes = 1_048_576;
/** `b64token` of RFC 6750, 2.1: nothing that could end a header. */
const bearer = /^[A-Za-z0-9._~+/-]+=*$/;

/**
 * Returns what the files hold now, or why they cannot be used: `certificate-invalid` for PEM texts,
 * `key-invalid` for a token. Read for each connection, so a rotated file needs no restart; a pair of
 * which only half has been replaced is refused and read again with the next attempt. No message
 * repeats a byte of a file.
 */
export async function readPeerFiles(disk: Disk, files: PeerFiles): Promise<Parsed<PeerMaterial>> {
  const read = (path: string | null, maxBytes: number) => readText(disk, path, maxBytes);
  const [tokenText, ca, cert, key] = await Promise.all([
    read(files.tokenFile, maxTokenBytes),
    read(files.caFile, maxPemBytes),
    read(files.certFile, maxPemBytes),
    read(files.keyFile, maxPemBytes),
  ]);
  for (const text of [tokenText, ca, cert, key]) if (!text.ok) return text;
  const material = {
    token: contentOf(tokenText)?.trim() ?? null,
    ca: contentOf(ca),
    cert: contentOf(cert),
    key: contentOf(key),
  };
  if (material.token !== null && !bearer.test(material.token)) {
    return refuse("key-invalid", `expected one bearer token in ${quote(files.tokenFile ?? "")}`);
  }
  if (material.ca !== null && readCertificate(material.ca) === null) {
    return refuse(
      "certificate-invalid",
      `expected PEM certificates in ${quote(files.caFile ?? "")}`,
    );
  }
  if (material.cert === null || material.key === null) return { ok: true, value: material };
  return isPair(material.cert, material.key)
    ? { ok: true, value: material }
    : refuse(
        "certificate-invalid",
        `expected a PEM certificate in ${quote(files.certFile ?? "")} and its key beside it`,
      );
}

async function readText(
  disk: Disk,
  path: string | null,
  maxBytes: number,
): Promise<Parsed<string | null>> {
  if (path === null) return { ok: true, value: null };
  try {
    return { ok: true, value: Buffer.from(await disk.read(path, maxBytes)).toString("utf8") };
  } catch (error) {
    return refuse("key-invalid", `cannot read ${quote(path)}: ${errorCodeOf(error)}`);
  }
}

function contentOf(text: Parsed<string | null>): string | null {
  return text.ok ? text.value : null;
}

function isPair(cert: string, key: string): boolean {
  try {
    return readCertificate(cert)?.checkPrivateKey(createPrivateKey(key)) ?? false;
  } catch {
    // What the parser says about a secret's bytes goes nowhere.
    return false;
  }
}

function readCertificate(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    // "Not a certificate" is all there is to say.
    return null;
  }
}

function refuse(code: string, message: string): Parsed<never> {
  return { ok: false, code, message };
}
