import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PeerFiles } from "../../src/adapters/distribution/peer-files.ts";
import {
  type CertificateAuthority,
  type CertificatePair,
  createCertificateAuthority,
} from "../../src/adapters/keys/certificate-authority.ts";

/** An authority, a server's certificate for loopback, and a workload's files in a folder. */
export interface TlsFiles {
  readonly authority: CertificateAuthority;
  readonly server: CertificatePair;
  readonly folder: string;
  readonly files: PeerFiles;
  /** Issues a certificate to a workload and writes it where `files` points. */
  rotate(spiffeId: string): Promise<void>;
  writeToken(token: string): void;
  remove(): void;
}

export const noFiles: PeerFiles = { tokenFile: null, caFile: null, certFile: null, keyFile: null };

/** Returns real files of a real, short-lived authority. */
export async function createTlsFiles(spiffeId: string): Promise<TlsFiles> {
  const authority = await createCertificateAuthority("test", new Date(), 3_600_000);
  const server = await authority.issue({
    commonName: "control plane",
    uris: [],
    dnsNames: ["localhost"],
    ipAddresses: ["127.0.0.1"],
  });
  const folder = mkdtempSync(join(tmpdir(), "mesh-iam-tls-"));
  const files: PeerFiles = {
    tokenFile: join(folder, "token"),
    caFile: join(folder, "ca.pem"),
    certFile: join(folder, "cert.pem"),
    keyFile: join(folder, "key.pem"),
  };
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const rotate = async (id: string) => {
    const pair = await authority.issue({
      commonName: "workload",
      uris: [id],
      dnsNames: [],
      ipAddresses: [],
    });
    write("cert.pem", pair.certificate);
    write("key.pem", pair.privateKey);
  };
  write("ca.pem", authority.certificate);
  write("token", "token-1\n");
  await rotate(spiffeId);
  return {
    authority,
    server,
    folder,
    files,
    rotate,
    writeToken: (token) => write("token", token),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
