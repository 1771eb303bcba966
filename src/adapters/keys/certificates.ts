import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { MeshIamError } from "../../iam/error.ts";
import { type Parsed, quote } from "../../iam/problem.ts";

/** The files of a TLS server: PEM, as cert-manager and SPIFFE helpers write them. */
export interface CertificateFiles {
  /** The chain, leaf first. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities whose clients may connect; null: no client certificate is asked for. */
  readonly clientCaFile: string | null;
}

/** What a TLS server presents and trusts: texts, frozen. `key` is a secret. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string | null;
  /** End of the leaf's life, milliseconds since 1970. */
  readonly notAfterMs: number;
  /** SHA-256 of the leaf, for the log. */
  readonly fingerprint: string;
}

/** Told of what happens to the files; called between requests. */
export interface CertificateListener {
  /** Puts new files in force. Throws `certificate-invalid` if the TLS server does not take them. */
  reloaded(certificate: ServerCertificate): void;
  /** New files are not usable: those before stay in force. Told once for each content. */
  refused(code: string, message: string): void;
}

export interface CertificateWatchOptions {
  readonly files: CertificateFiles;
  readonly listener: CertificateListener;
  readonly nowMs: () => number;
  /** Calls `run` once after `delayMs`; returns the cancellation. Must not keep the process alive. */
  readonly setTimer: (run: () => void, delayMs: number) => () => void;
  /** Default 10,000. Files are read, not watched: a mounted Secret is swapped by a symbolic link. */
  readonly pollMs?: number;
}

/**
 * Returns the certificate that three PEM texts make, or why they do not: `certificate-invalid` for a
 * text that is no certificate, a key that is none or of another certificate, and a leaf that is not
 * valid at `nowMs`; authorities likewise. No message repeats a text.
 */
export function parseServerCertificate(
  texts: { readonly cert: string; readonly key: string; readonly clientCa: string | null },
  nowMs: number,
): Parsed<ServerCertificate> {
  const leaf = readCertificate(texts.cert);
  if (leaf === null) return refuse("expected a PEM certificate in the certificate file");
  try {
    // The private key must be this leaf's: half of a pair may have been replaced already.
    if (!leaf.checkPrivateKey(createPrivateKey(texts.key))) {
      return refuse("expected the private key of the certificate");
    }
  } catch {
    // What the parser says about a secret's bytes goes nowhere.
    return refuse("expected an unencrypted PEM private key in the key file");
  }
  const notAfterMs = leaf.validToDate.getTime();
  if (nowMs >= notAfterMs) return refuse(`the certificate expired on ${quote(leaf.validTo)}`);
  if (nowMs < leaf.validFromDate.getTime()) {
    return refuse(`the certificate is valid from ${quote(leaf.validFrom)} on`);
  }
  if (texts.clientCa !== null && readCertificate(texts.clientCa) === null) {
    return refuse("expected PEM certificates in the client authority file");
  }
  const fingerprint = leaf.fingerprint256;
  return { ok: true, value: Object.freeze({ ...texts, notAfterMs, fingerprint }) };
}

/**
 * The certificate of a TLS server, read again while it serves. `start` reads the files once and throws
 * `certificate-invalid` if they are not usable; afterwards a bad change is told and changes nothing.
 */
export class WatchedCertificate {
  readonly #options: CertificateWatchOptions;
  #current: ServerCertificate;
  #refused = "";
  #closed = false;
  #cancelTimer: (() => void) | null = null;

  private constructor(options: CertificateWatchOptions, current: ServerCertificate) {
    this.#options = options;
    this.#current = current;
  }

  /** Returns the certificate in force, watched until `close`. */
  static async start(options: CertificateWatchOptions): Promise<WatchedCertificate> {
    const first = await readFiles(options.files, options.nowMs());
    if (!first.ok) throw new MeshIamError("certificate-invalid", first.message);
    const watched = new WatchedCertificate(options, first.value);
    watched.#schedule();
    return watched;
  }

  get current(): ServerCertificate {
    return this.#current;
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer?.();
  }

  async #poll(): Promise<void> {
    const read = await readFiles(this.#options.files, this.#options.nowMs());
    if (this.#closed) return;
    const taken = read.ok ? this.#take(read.value) : read;
    if (taken.ok) {
      this.#refused = "";
    } else {
      if (taken.message !== this.#refused)
        this.#options.listener.refused(taken.code, taken.message);
      this.#refused = taken.message;
    }
    this.#schedule();
  }

  /** A pair may be sound and still be refused by the TLS library, for the size of its key say. */
  #take(certificate: ServerCertificate): Parsed<ServerCertificate> {
    if (isSame(certificate, this.#current)) return { ok: true, value: certificate };
    try {
      this.#options.listener.reloaded(certificate);
    } catch (cause) {
      return refuse(MeshIamError.from(cause).message);
    }
    this.#current = certificate;
    return { ok: true, value: certificate };
  }

  #schedule(): void {
    const { setTimer, pollMs = 10_000 } = this.#options;
    this.#cancelTimer = setTimer(() => void this.#poll(), pollMs);
  }
}

async function readFiles(
  files: CertificateFiles,
  nowMs: number,
): Promise<Parsed<ServerCertificate>> {
  try {
    // One after another: of several that are missing the same one is named each time, and told once.
    const cert = await readFile(files.certFile, "utf8");
    const key = await readFile(files.keyFile, "utf8");
    const clientCa =
      files.clientCaFile === null ? null : await readFile(files.clientCaFile, "utf8");
    return parseServerCertificate({ cert, key, clientCa }, nowMs);
  } catch (reason) {
    const { path = "", code = "" } = reason as NodeJS.ErrnoException;
    return refuse(`cannot read ${quote(path)}: ${quote(code)}`);
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

function isSame(a: ServerCertificate, b: ServerCertificate): boolean {
  return a.cert === b.cert && a.key === b.key && a.clientCa === b.clientCa;
}

function refuse(message: string): Parsed<ServerCertificate> {
  return { ok: false, code: "certificate-invalid", message };
}
