import { webcrypto } from "node:crypto";
import { Integer, OctetString, Utf8String } from "asn1js";
import {
  AttributeTypeAndValue,
  BasicConstraints,
  Certificate,
  CryptoEngine,
  Extension,
  ExtKeyUsage,
  GeneralName,
  GeneralNames,
  RelativeDistinguishedNames,
} from "pkijs";

/** A certificate and its private key as PEM texts. The key is a secret: mode 0600 where it is written. */
export interface CertificatePair {
  readonly certificate: string;
  readonly privateKey: string;
}

/** What the certificate is to say of its holder. */
export interface CertificateRequest {
  readonly commonName: string;
  /** URI SANs; SPIFFE asks for exactly one. */
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

export interface CertificateAuthority {
  /** The authority's own certificate, PEM. */
  readonly certificate: string;
  /** Returns a P-256 leaf for server and client use, valid as long as the authority. */
  issue(request: CertificateRequest): Promise<CertificatePair>;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256" } as const;
const uriName = 6;
const dnsName = 2;
const ipName = 7;

/**
 * Returns a new self-signed P-256 authority whose key lives in this process only: for the quickstart
 * and for tests, never for a mesh. `now` and `validForMs` bound it and everything it issues.
 * Source: RFC 5280, 4.2; X.509-SVID, 4.
 */
export async function createCertificateAuthority(
  commonName: string,
  now: Date,
  validForMs: number,
): Promise<CertificateAuthority> {
  const engine = new CryptoEngine({ name: "node", crypto: webcrypto });
  const keys = await generateKeys();
  const validity = {
    from: new Date(now.getTime() - 60_000),
    to: new Date(now.getTime() + validForMs),
  };
  const own = createCertificate(commonName, commonName, validity, [
    extension(
      "2.5.29.19",
      new BasicConstraints({ cA: true, pathLenConstraint: 0 }).toSchema(),
      true,
    ),
  ]);
  await own.subjectPublicKeyInfo.importKey(keys.publicKey, engine);
  await own.sign(keys.privateKey as never, "SHA-256", engine);

  return {
    certificate: pem("CERTIFICATE", own.toSchema(true).toBER(false)),
    async issue(request) {
      const leafKeys = await generateKeys();
      const names = alternativeNames(request);
      const leaf = createCertificate(request.commonName, commonName, validity, [
        // A SEQUENCE of names without one is no extension (RFC 5280, 4.2.1.6).
        ...(names.names.length === 0 ? [] : [extension("2.5.29.17", names.toSchema(), true)]),
        extension(
          "2.5.29.37",
          // serverAuth and clientAuth: one workload certificate serves both directions.
          new ExtKeyUsage({ keyPurposes: ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"] }).toSchema(),
          false,
        ),
      ]);
      await leaf.subjectPublicKeyInfo.importKey(leafKeys.publicKey, engine);
      await leaf.sign(keys.privateKey as never, "SHA-256", engine);
      const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", leafKeys.privateKey);
      return {
        certificate: pem("CERTIFICATE", leaf.toSchema(true).toBER(false)),
        privateKey: pem("PRIVATE KEY", pkcs8),
      };
    },
  };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

function createCertificate(
  subject: string,
  issuer: string,
  validity: { readonly from: Date; readonly to: Date },
  extensions: Extension[],
): Certificate {
  const certificate = new Certificate();
  certificate.version = 2;
  const serial = webcrypto.getRandomValues(new Uint8Array(16));
  // A positive, minimal INTEGER (RFC 5280, 4.1.2.2): the top bits are fixed.
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  certificate.serialNumber = new Integer({ valueHex: serial.buffer });
  certificate.subject = name(subject);
  certificate.issuer = name(issuer);
  certificate.notBefore.value = validity.from;
  certificate.notAfter.value = validity.to;
  certificate.extensions = extensions;
  return certificate;
}

function name(commonName: string): RelativeDistinguishedNames {
  const value = new Utf8String({ value: commonName });
  return new RelativeDistinguishedNames({
    typesAndValues: [new AttributeTypeAndValue({ type: "2.5.4.3", value })],
  });
}

function alternativeNames(request: CertificateRequest): GeneralNames {
  return new GeneralNames({
    names: [
      ...request.uris.map((value) => new GeneralName({ type: uriName, value })),
      ...request.dnsNames.map((value) => new GeneralName({ type: dnsName, value })),
      ...request.ipAddresses.map(
        (address) =>
          new GeneralName({
            type: ipName,
            value: new OctetString({
              valueHex: new Uint8Array(address.split(".").map(Number)).buffer,
            }),
          }),
      ),
    ],
  });
}

function extension(
  extnID: string,
  schema: { toBER(sizeOnly: boolean): ArrayBuffer },
  critical: boolean,
) {
  return new Extension({ extnID, critical, extnValue: schema.toBER(false) });
}

function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
