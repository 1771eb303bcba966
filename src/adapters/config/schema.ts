import { fetchAddressPattern, fetchAddressWords } from "../../domain/request/fetch-address.ts";
import { parseAddress, parseTcpAddress } from "./address.ts";
import {
  address,
  listOf,
  oneOf,
  optional,
  path,
  share,
  tcpAddress,
  text,
  whole,
  yesOrNo,
} from "./kinds.ts";
import { group, setting, type ValueOf } from "./setting.ts";

const mib = 1_048_576;
const day = 86_400;
const count = (min: number, max: number) => whole(min, max, "count");
const bytes = (min: number, max: number) => whole(min, max, "bytes");
const seconds = (min: number, max: number) => whole(min, max, "seconds");
const milliseconds = (min: number, max: number) => whole(min, max, "milliseconds");

const httpsUrl = text(fetchAddressWords, fetchAddressPattern, "url");
const serviceName = text(
  "a service as `{account}/{name}`, like `111122223333/orders`",
  /^\d{12}\/[a-z][a-z0-9-]{0,62}$/,
  "account/name",
);
const recordPath = text(
  "the path of a field of the decision log, like `userIdentity.arn`",
  /^[A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*){0,7}$/,
  "field",
);

/** Returns the value of a default that is written as a text below. */
function known<T>(parsed: { ok: true; value: T } | { ok: false; message: string }): T {
  if (parsed.ok) return parsed.value;
  throw new TypeError(parsed.message);
}

/**
 * Every setting of the authorizer, once. File key, environment variable, flag, JSON schema, reference
 * page and the type `AuthorizerConfig` all follow from this table.
 */
export const authorizerSettings = {
  addr: setting(
    address(),
    known(parseAddress("grpc://127.0.0.1:9191")),
    "Where Envoy's Checks and `grpc.health.v1` are answered: `grpc://host:port`, `unix:///path` or `unix://@abstract`. Anything but a socket or loopback should have `tls.clientCaFile`.",
  ),
  diagnosticAddr: setting(
    tcpAddress(),
    known(parseTcpAddress("0.0.0.0:8282")),
    "Where `/metrics`, `/health/live`, `/health/ready` and `/status` are served, read-only. The kubelet cannot probe loopback, so it is on the pod's address.",
  ),
  partition: setting(
    text("a partition like `aws`", /^[a-z][a-z0-9-]{0,31}$/, "partition"),
    "aws",
    "Partition of the ARNs of your resources.",
  ),
  region: setting(
    text("a region like `eu-west-1`, or nothing", /^[a-z0-9-]{0,63}$/, "region"),
    "",
    "Region of the ARNs of your resources, and `aws:RequestedRegion`.",
  ),
  services: setting(
    listOf(serviceName, 1_000),
    [],
    "The services this authorizer fronts. Empty: all of its slice.",
  ),

  documents: setting(
    optional(path("folder")),
    null,
    "Source: a folder of documents, built in process and watched. A Kubernetes ConfigMap mount works.",
  ),
  folder: setting(
    optional(path("folder")),
    null,
    "Source: a folder that `mesh-iam bundle build` wrote and `bundle sign` signed. Needs `bundle.rootFingerprints`.",
  ),
  controlPlane: setting(
    optional(httpsUrl),
    null,
    "Source: a control plane, which assigns the slice to the identity and streams changes. Needs `bundle.organization` and `bundle.rootFingerprints`.",
  ),
  http: setting(
    optional(httpsUrl),
    null,
    "Source: bundles over plain HTTPS, polled: a control plane where streams do not pass, or any web server with the same paths. Needs `bundle.organization`, `bundle.slice` and `bundle.rootFingerprints`.",
  ),

  bundle: group("How bundles are trusted, kept and bounded.", {
    rootFingerprints: setting(
      listOf(
        text("`sha256:` and 64 hexadecimal digits", /^sha256:[0-9a-f]{64}$/, "fingerprint"),
        16,
      ),
      [],
      "Root keys that may sign key sets, as `mesh-iam keys generate` prints them.",
    ),
    slice: setting(
      optional(text("the name of a slice", /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, "name")),
      null,
      "The slice that a head must name. Unset: a local folder is taken as it is, and a control plane assigns it.",
    ),
    organization: setting(
      optional(text("the id of an organization", /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, "id")),
      null,
      "The organization whose key sets and heads are followed. Unset: a local folder is taken as it is.",
    ),
    tokenFile: setting(
      optional(path("file")),
      null,
      "Bearer token for `controlPlane` and `http`, as the kubelet projects it; read again for each connection.",
    ),
    tls: group("TLS towards `controlPlane` and `http`; files are read again for each connection.", {
      caFile: setting(
        optional(path("file")),
        null,
        "Authorities trusted instead of the system's, PEM.",
      ),
      certFile: setting(
        optional(path("file")),
        null,
        "The own certificate chain, PEM, where the carrier asks for one.",
      ),
      keyFile: setting(optional(path("file")), null, "Its key, PEM."),
    }),
    polling: group("How often the `http` source looks at the head; each wait is drawn anew.", {
      minDelaySeconds: setting(seconds(1, 3_600), 13, "Shortest wait between two looks."),
      maxDelaySeconds: setting(
        seconds(1, 3_600),
        17,
        "Longest wait between two looks: how late a change can be enforced.",
      ),
    }),
    persist: setting(
      yesOrNo(),
      true,
      "Keep the last good bundle under `bundle.stateDir`, so that a restart needs nobody. Does not apply to `documents`: that folder is itself the state.",
    ),
    stateDir: setting(
      path("folder"),
      ".mesh-iam",
      "Folder of the persisted bundle. One process a folder.",
    ),
    headRenewSeconds: setting(
      seconds(1, 3_600),
      30,
      "How often the `documents` source renews its head.",
    ),
    headValidSeconds: setting(
      seconds(10, 30 * day),
      3_600,
      "How long a head of the `documents` source is valid; longer than `bundle.headRenewSeconds`.",
    ),
    maxSliceBytes: setting(bytes(mib, 4_096 * mib), 64 * mib, "Largest slice, uncompressed."),
    maxPartBytes: setting(bytes(4_096, 512 * mib), 8 * mib, "Largest part, uncompressed."),
    maxManifestBytes: setting(bytes(4_096, 64 * mib), mib, "Largest manifest, uncompressed."),
  }),
  bootstrap: group("The first start, before anything was persisted.", {
    acceptStale: setting(
      yesOrNo(),
      false,
      "Activate an expired head when there is no persisted floor: for air-gapped first boots. Sets the metric `mesh_iam_bundle_accept_stale`.",
    ),
  }),
  staleness: group("How old a bundle may grow. By default it is served for ever.", {
    denyAfterSeconds: setting(
      optional(seconds(1, 365 * day)),
      null,
      "Deny everything with `bundle-stale` when the last head is older. 900 is sensible where revocation must bite.",
    ),
    denyHighRiskAfterSeconds: setting(
      optional(seconds(1, 365 * day)),
      null,
      "The same, only for routes tagged `risk: high`.",
    ),
  }),

  decisionCache: group("Decisions kept for equal questions.", {
    enabled: setting(yesOrNo(), true, "Off: every Check is evaluated."),
    maxEntries: setting(count(1, 10_000_000), 100_000, "Entries in all."),
    maxBytes: setting(bytes(65_536, 4_096 * mib), 16 * mib, "Bytes in all."),
    maxTargetsPerPrincipal: setting(
      count(1, 100_000),
      256,
      "Request targets kept for one principal: one that floods unique paths turns over only its own.",
    ),
  }),
  tokenCache: group("Tokens that were verified.", {
    capacity: setting(count(4, 10_000_000), 10_000, "Tokens in all."),
    maxBytes: setting(
      bytes(65_536, 4_096 * mib),
      16 * mib,
      "Bytes in all, and as many again for the callers that tokens and peers are mapped to.",
    ),
    maxTtlSeconds: setting(
      seconds(0, day),
      3_600,
      "A token is verified again after this time, however long it is valid. 0: each time.",
    ),
  }),
  jwks: group("Key sets of OIDC providers. Fetched in the background, never by a Check.", {
    refreshIntervalSeconds: setting(
      seconds(10, day),
      300,
      "A key that its provider removed dies within this time.",
    ),
    refreshMinIntervalSeconds: setting(
      seconds(1, 3_600),
      30,
      "Unknown key ids cause at most one fetch in this time, for each provider.",
    ),
    maxStaleSeconds: setting(
      seconds(0, 30 * day),
      day,
      "How long keys serve on while their provider cannot be reached.",
    ),
    timeoutMs: setting(milliseconds(100, 60_000), 5_000, "Bound of one fetch."),
    allowPrivateHosts: setting(
      yesOrNo(),
      false,
      "Fetch from loopback and private addresses too: for a provider inside the cluster. Link-local and metadata addresses stay refused.",
    ),
  }),

  grpcMaxRecvMsgSize: setting(
    bytes(65_536, 64 * mib),
    4 * mib,
    "Largest gRPC message, in bytes (OPA's name). A larger one is a gRPC error, which a fail-open Envoy lets pass: keep it above whatever Envoy may send, 16 MiB where it sends bodies.",
  ),
  limits: group("Bounds of the work one peer can cause.", {
    maxCheckBytes: setting(
      bytes(4_096, 64 * mib),
      262_144,
      "Largest Check; a larger one is denied with `request-too-large`.",
    ),
    maxHeaders: setting(count(16, 10_000), 512, "Request headers in one Check."),
    maxTokenBytes: setting(bytes(512, mib), 16_384, "Longest token that is looked at."),
    maxConcurrentStreams: setting(
      count(100, 1_000_000),
      1_024,
      "Streams on one connection. Envoy multiplexes all Checks of a thread on one: not lower.",
    ),
    verificationShare: setting(
      share(),
      0.25,
      "Share of the time that unknown tokens may take; a peer beyond its part of it is denied with `throttled`.",
    ),
    checkTimeoutMs: setting(
      milliseconds(1, 60_000),
      200,
      "A Check that has to wait is denied with `deadline` after it; Envoy's own timeout counts when it is shorter. Today every Check is answered from memory, and none waits.",
    ),
  }),
  drainSeconds: setting(
    seconds(0, 3_600),
    15,
    "On SIGTERM health turns NOT_SERVING, Checks are answered for this long, then connections close.",
  ),

  verbose: setting(
    yesOrNo(),
    false,
    "Tell callers why: AWS's sentence in the body of a denial and the reason in `x-ext-auth-reason`. It tells outsiders about policy.",
  ),
  dryRun: setting(
    yesOrNo(),
    false,
    "Every service in shadow mode, whatever its definition says. Loosens what Envoy is told, never what is recorded.",
  ),
  trustedHops: setting(
    count(0, 16),
    0,
    "`aws:SourceIp` is the entry at this position from the right of `x-forwarded-for`. 0: the peer of the connection.",
  ),
  tlsTerminating: setting(
    yesOrNo(),
    false,
    "`aws:SecureTransport` is true for every request: the listener in front takes TLS only.",
  ),
  tls: group("TLS of the Check listener; files are read again when they change.", {
    certFile: setting(optional(path("file")), null, "Certificate chain, PEM."),
    keyFile: setting(optional(path("file")), null, "Its key, PEM."),
    clientCaFile: setting(
      optional(path("file")),
      null,
      "Authorities whose clients may ask, PEM. Set: a client certificate is required.",
    ),
  }),

  selfCheck: group("The second evaluator.", {
    sampleRate: setting(
      share(),
      0.001,
      "Share of decisions that the reference evaluator decides again, off the request path.",
    ),
  }),
  decisionLogs: group("The record of each decision, JSON lines.", {
    console: setting(yesOrNo(), true, "Write records to stdout."),
    file: setting(optional(path("file")), null, "Append records to this file."),
    allowSampleRate: setting(
      share(),
      0,
      "Share of the allowed requests that is written, chosen by trace id. Denials, errors and shadow differences always are. A caller chooses its trace id: 1 where the log is an audit.",
    ),
    ignoreAllowAll: setting(
      yesOrNo(),
      false,
      "Write no allowed request, whatever the rate says (Cerbos' name).",
    ),
    drop: setting(
      listOf(
        text(
          "an action as `service:Name`, the name perhaps ending in `*`",
          /^[a-z][a-z0-9-]{0,62}:[A-Za-z0-9]{0,128}\*?$/,
          "action",
        ),
        256,
      ),
      [],
      "Actions whose allowed requests are never written, like probes.",
    ),
    mask: setting(
      listOf(recordPath, 64),
      [],
      "Fields that are written as a salted hash: `userIdentity.arn`.",
    ),
    erase: setting(listOf(recordPath, 64), [], "Fields that are left out: `userAgent`."),
    maskSaltFile: setting(
      optional(path("file")),
      null,
      "Salt of `mask`, at least 16 bytes. Unset: drawn at start, so hashes compare within one process only.",
    ),
    input: setting(
      yesOrNo(),
      false,
      "Add the scenario that replays the decision: all context keys, so personal data too.",
    ),
    maxBufferedEvents: setting(
      count(16, 1_000_000),
      10_000,
      "Records that wait to be written, for each sink; beyond it the oldest is dropped and counted.",
    ),
    maxBufferedBytes: setting(
      bytes(65_536, 4_096 * mib),
      16 * mib,
      "The same in bytes, which counts where `input` is on.",
    ),
  }),
  metrics: group("What `/metrics` shows.", {
    level: setting(
      oneOf("minimal", "standard", "full"),
      "standard",
      "`minimal` leaves out stages and the runtime, `full` adds `grpc_server_*`.",
    ),
  }),
  log: group("The application's own log, on stdout.", {
    level: setting(
      oneOf("debug", "info", "warn", "error"),
      "info",
      "SIGUSR2 switches to `debug` and back.",
    ),
    format: setting(oneOf("json", "text"), "json", "`text` is for people."),
  }),
  instance: group("Who writes: labels of log and decision log.", {
    id: setting(
      optional(text("1 to 128 letters, digits or `.-_`", /^[A-Za-z0-9._-]{1,128}$/, "id")),
      null,
      "Unset: drawn at start.",
    ),
    podName: setting(
      optional(text("the name of a pod", /^[a-z0-9.-]{1,253}$/, "name")),
      null,
      "From the downward API.",
    ),
    podNamespace: setting(
      optional(text("the name of a namespace", /^[a-z0-9-]{1,63}$/, "name")),
      null,
      "From the downward API.",
    ),
  }),
} as const;

type Settings = ValueOf<typeof authorizerSettings>;

/** The keys of which exactly one names where policy comes from. */
export const sourceKeys = ["documents", "folder", "controlPlane", "http"] as const;
export type SourceKey = (typeof sourceKeys)[number];

/** Where policy comes from. */
export type BundleSource =
  | { readonly type: "documents" | "folder"; readonly path: string }
  | { readonly type: "controlPlane" | "http"; readonly url: string };

/** The authorizer's configuration: complete, defaults applied, deeply frozen. */
export type AuthorizerConfig = Omit<Settings, SourceKey> & { readonly source: BundleSource };
