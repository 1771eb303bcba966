import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type CertificatePair,
  createCertificateAuthority,
} from "../../../adapters/keys/certificate-authority.ts";
import { packageRoot } from "../version.ts";
import { claimFolder, releaseFolder, writing } from "./folder.ts";
import {
  type CertificateName,
  certificateNames,
  type SampleCredentials,
  type TokenName,
  tokenNames,
} from "./rows.ts";
import { createTokenIssuer, type TokenIssuer } from "./tokens.ts";

/** The files of one quickstart: documents to play with, and credentials ready to be sent. */
export interface Workspace {
  readonly folder: string;
  readonly documents: string;
  readonly decisionLog: string;
  /** In the system's temporary folder, since a socket's path may have 107 bytes at most. */
  readonly socket: string;
  readonly credentials: SampleCredentials;
  /** The authority of Envoy's certificate and of the clients', PEM and its file. */
  readonly authority: string;
  readonly authorityFile: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
  /** Removes what lies outside `folder`, which itself stays. */
  close(): void;
}

const issuer = "https://login.example.com";
const dayMs = 86_400_000;

/** The documents as they are shipped. */
export const sampleDocuments = join(packageRoot, "examples", "quickstart");

/**
 * Returns a fresh workspace in `folder`, whose former content is replaced: a copy of the sample
 * documents with new keys of the OIDC provider, tokens of several callers, and certificates of two
 * workloads. Private keys and tokens are written with mode 0600. `now` is in ms.
 *
 * Throws `quickstart-failed` when the folder is not ours to replace or cannot be written.
 */
export async function createWorkspace(folder: string, now: () => number): Promise<Workspace> {
  claimFolder(folder);
  const documents = join(folder, "documents");
  const tokenIssuer = createTokenIssuer(issuer, "mesh", "quickstart-1", now);
  const tokens = issueTokens(tokenIssuer, now);
  const authority = await createCertificateAuthority("mesh-iam quickstart", new Date(now()), dayMs);
  const certificates = await issueCertificates(authority.issue);
  const server = await authority.issue({
    commonName: "localhost",
    uris: ["spiffe://shop.example/ns/edge/sa/envoy"],
    dnsNames: ["localhost"],
    ipAddresses: ["127.0.0.1"],
  });
  const secret = (inner: string, name: string, text: string): string => {
    const file = join(folder, inner, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  const certificateFile = (name: string, text: string): string =>
    secret("certificates", name, text);
  return writing(folder, () => {
    cpSync(sampleDocuments, documents, { recursive: true });
    writeFileSync(join(documents, "jwks.json"), tokenIssuer.jwks);
    for (const inner of ["tokens", "certificates"]) mkdirSync(join(folder, inner));
    for (const name of tokenNames) secret("tokens", `${name}.txt`, tokens[name]);
    for (const name of certificateNames) {
      certificateFile(`${name}.pem`, certificates[name].certificate);
      certificateFile(`${name}-key.pem`, certificates[name].privateKey);
    }
    const socketFolder = makeSocketFolder();
    return {
      folder,
      documents,
      decisionLog: join(folder, "decisions.jsonl"),
      socket: join(socketFolder, "authz.sock"),
      credentials: { tokens, certificates },
      authority: authority.certificate,
      authorityFile: certificateFile("ca.pem", authority.certificate),
      serverCertificate: certificateFile("envoy.pem", server.certificate),
      serverKey: certificateFile("envoy-key.pem", server.privateKey),
      close() {
        rmSync(socketFolder, { recursive: true, force: true });
        releaseFolder(folder);
      },
    };
  });
}

/** Bytes of a temporary folder whose sockets' paths are still short enough. */
const maxTemporaryBytes = 70;

/** Returns a new folder for the socket; where the system's temporary folder has a long name, in `/tmp`. */
function makeSocketFolder(): string {
  const temporary = Buffer.byteLength(tmpdir()) <= maxTemporaryBytes ? tmpdir() : "/tmp";
  return writing(temporary, () => mkdtempSync(join(temporary, "mesh-iam-")));
}

function issueTokens(login: TokenIssuer, now: () => number): Readonly<Record<TokenName, string>> {
  const stranger = createTokenIssuer(issuer, "mesh", "somebody-elses-key", now);
  const person = (name: string, groups: readonly string[] = []) => ({
    sub: `user-${name}`,
    preferred_username: name,
    groups,
  });
  const ana = login.issue(person("ana"));
  const seconds = Math.floor(now() / 1000);
  return {
    ana,
    bob: login.issue(person("bob")),
    carol: login.issue(person("carol")),
    dave: login.issue(person("dave")),
    courier: login.issue({ ...person("kim", ["couriers"]), email: "kim@shop.example" }),
    auditor: login.issue({ ...person("lee", ["auditors"]), email: "lee@partner.example" }),
    expired: login.issue({ ...person("ana"), iat: seconds - 7200, exp: seconds - 3600 }),
    "wrong-audience": login.issue({ ...person("ana"), aud: "another-application" }),
    "unknown-key": stranger.issue(person("ana")),
    tampered: forge(ana),
  };
}

/** Returns the token with another subject and the old signature. */
function forge(token: string): string {
  const [header = "", payload = "", signature = ""] = token.split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
  const forged = JSON.stringify({ ...claims, preferred_username: "carol" });
  return `${header}.${Buffer.from(forged).toString("base64url")}.${signature}`;
}

async function issueCertificates(
  issue: (request: {
    commonName: string;
    uris: readonly string[];
    dnsNames: readonly string[];
    ipAddresses: readonly string[];
  }) => Promise<CertificatePair>,
): Promise<Readonly<Record<CertificateName, CertificatePair>>> {
  const of = (name: CertificateName) =>
    issue({
      commonName: name,
      uris: [`spiffe://shop.example/ns/shop/sa/${name}`],
      dnsNames: [],
      ipAddresses: [],
    });
  return { checkout: await of("checkout"), warehouse: await of("warehouse") };
}
