import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type CertificateAuthority,
  type CertificatePair,
  createCertificateAuthority,
} from "../../src/adapters/keys/certificate-authority.ts";
import { spiffeIdOf } from "../fakes/documents.ts";
import { http1Request } from "../fakes/http-client.ts";
import { startUpstream, type Upstream } from "../fakes/upstream.ts";
import {
  startEnvoyFor,
  startTestAuthorizer,
  startTimeoutMs,
  type TestAuthorizer,
} from "./authorizer.ts";
import { through, world } from "./doors.ts";
import { createRunDir, type EnvoyProcess, envoyForTests } from "./envoy.ts";
import { istioConfig } from "./envoy-config.ts";
import { issueTokens } from "./shop.ts";

/*
 * An authorizer that others share speaks mutual TLS with its Envoys: whoever shows no certificate of the
 * configured authority gets no answer, so nothing passes; and its own certificate may be replaced.
 */

const binary = (await envoyForTests()) ?? "";
const { tokens, jwks } = issueTokens(Date.now());
const open = through("/red", tokens.ana);
const authorizerId = spiffeIdOf("authorizer");

/** What an Envoy's cluster shows and trusts; `own` null: it shows nothing. */
function upstreamTls(trusted: string, own: CertificatePair | null) {
  return {
    transport_socket: {
      name: "envoy.transport_sockets.tls",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        common_tls_context: {
          alpn_protocols: ["h2"],
          ...(own === null
            ? {}
            : {
                tls_certificates: [
                  {
                    certificate_chain: { inline_string: own.certificate },
                    private_key: { inline_string: own.privateKey },
                  },
                ],
              }),
          validation_context: {
            trusted_ca: { inline_string: trusted },
            match_typed_subject_alt_names: [{ san_type: "URI", matcher: { exact: authorizerId } }],
          },
        },
      },
    },
  };
}

describe.skipIf(binary === "")("mutual TLS between the real Envoy and the authorizer", () => {
  let folder: string;
  let authority: CertificateAuthority;
  let stranger: CertificateAuthority;
  let upstream: Upstream;
  let authorizer: TestAuthorizer;
  let own: CertificatePair;
  let known: EnvoyProcess;
  let answeredBefore: number;
  let firstShown: string;

  const issue = (from: CertificateAuthority, name: string) =>
    from.issue({ commonName: name, uris: [spiffeIdOf(name)], dnsNames: [], ipAddresses: [] });

  function writePair({ certificate, privateKey }: CertificatePair): void {
    writeFileSync(join(folder, "tls.key"), privateKey, { mode: 0o600 });
    writeFileSync(join(folder, "tls.crt"), certificate);
  }

  beforeAll(async () => {
    const runDir = createRunDir();
    folder = join(runDir, "tls");
    mkdirSync(folder);
    authority = await createCertificateAuthority("mesh", new Date(), 3_600_000);
    stranger = await createCertificateAuthority("mesh", new Date(), 3_600_000);
    writePair(await issue(authority, "authorizer"));
    writeFileSync(join(folder, "ca.crt"), authority.certificate);
    upstream = await startUpstream();
    authorizer = await startTestAuthorizer({
      documents: world(jwks),
      runDir,
      unix: false,
      sets: [
        `tls.certFile=${join(folder, "tls.crt")}`,
        `tls.keyFile=${join(folder, "tls.key")}`,
        `tls.clientCaFile=${join(folder, "ca.crt")}`,
      ],
    });
    own = await issue(authority, "envoy");
    known = await startEnvoyWith(upstreamTls(authority.certificate, own));
    answeredBefore = (await http1Request(known.address, open)).status;
    firstShown = await fingerprint();
    // Replaced first of all, since the files are looked at every ten seconds only.
    writePair(await issue(authority, "authorizer"));
  }, startTimeoutMs);
  afterAll(async () => {
    await known?.stop();
    await authorizer?.close();
    await upstream?.close();
    rmSync(join(folder, ".."), { recursive: true, force: true });
  });

  function startEnvoyWith(cluster: Record<string, unknown>) {
    const options = { binary, shape: istioConfig, cluster };
    return startEnvoyFor(options, createRunDir(), [authorizer.address], upstream);
  }

  test.each([
    { why: "no certificate", own: async () => null, plain: false },
    { why: "one of another authority", own: () => issue(stranger, "envoy"), plain: false },
    { why: "no TLS", own: async () => null, plain: true },
  ])("an Envoy with $why hears nothing, and nothing passes", async ({ own, plain }) => {
    const cluster = plain ? {} : upstreamTls(authority.certificate, await own());
    const envoy = await startEnvoyWith(cluster);
    try {
      authorizer.outcomes.length = 0;
      upstream.forget();
      const { status } = await http1Request(envoy.address, open);
      expect([status, authorizer.outcomes, upstream.requests]).toEqual([503, [], []]);
    } finally {
      await envoy.stop();
    }
  });

  test("an Envoy that is known is answered, before and after a new certificate", async () => {
    expect(answeredBefore).toBe(200);
    await expect.poll(fingerprint, { timeout: 30_000, interval: 250 }).not.toBe(firstShown);
    // The connection that was open stays so.
    expect((await http1Request(known.address, open)).status).toBe(200);
    const connections = await known.counters("cluster.mesh_iam.upstream_cx_total");
    expect(connections.get("cluster.mesh_iam.upstream_cx_total")).toBe(1);
    const told = authorizer.log.records().map(({ event }) => event);
    expect(told).toContain("certificate-reloaded");
  }, 60_000);

  /** Of the certificate that a new connection is shown. */
  async function fingerprint(): Promise<string> {
    const [host = "", port = ""] = authorizer.address.split(":");
    const socket = connect({
      host,
      port: Number(port),
      ca: authority.certificate,
      cert: own.certificate,
      key: own.privateKey,
      ALPNProtocols: ["h2"],
      // Its name is an URI, which the next line reads.
      checkServerIdentity: () => undefined,
    });
    await new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", () => resolve());
      socket.once("error", reject);
    });
    const { fingerprint256, subjectaltname } = socket.getPeerCertificate();
    socket.destroy();
    expect(subjectaltname).toBe(`URI:${authorizerId}`);
    return fingerprint256;
  }
});
