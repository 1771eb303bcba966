import { parseTcpAddress } from "./address.ts";
import { listOf, optional, path, tcpAddress, text, whole } from "./kinds.ts";
import { authorizerSettings } from "./schema.ts";
import { group, setting, type ValueOf } from "./setting.ts";

const mib = 1_048_576;
const loopback = parseTcpAddress("127.0.0.1:9443");

/** Every setting of the control plane, once; names and types follow as of the authorizer's table. */
export const controlPlaneSettings = {
  addr: setting(
    tcpAddress(),
    loopback.ok ? loopback.value : { type: "tcp", host: "127.0.0.1", port: 9443 },
    "Where the API is served. Anything but loopback needs `tls`: credentials would travel in cleartext.",
  ),
  socket: setting(
    optional(path("file")),
    ".mesh-iam/control-plane/api.sock",
    "Unix socket of mode 0600: whoever can open it is the root of the organization, and every call over it is logged. Empty: none.",
  ),
  partition: authorizerSettings.partition,
  store: group("Where organizations are kept. SQLite is for one process, PostgreSQL for several.", {
    sqlite: setting(
      path("file"),
      ".mesh-iam/control-plane/store.db",
      "File of the embedded store, on a local disk. Not used with `store.postgres`.",
    ),
    postgres: setting(
      optional(
        text("`postgres://USER@HOST:PORT/DATABASE`", /^postgres(ql)?:\/\/[!-~]{1,2048}$/, "url"),
      ),
      null,
      "PostgreSQL instead. Give a password by the variable, not in the file.",
    ),
  }),
  api: group("How calls are taken.", {
    audiences: setting(
      listOf(text("an audience", /^[!-~]{1,256}$/, "audience"), 16),
      ["mesh-iam:control-plane"],
      "Audiences of the tokens that the API takes; no token for a service is one.",
    ),
    maxBodyBytes: setting(
      whole(4_096, 64 * mib, "bytes"),
      mib,
      "Largest request. A set of documents has a bound of its own.",
    ),
    maxDocumentsBytes: setting(
      whole(4_096, 256 * mib, "bytes"),
      16 * mib,
      "Largest request of `ApplyDocuments`.",
    ),
    ratePerSecond: setting(
      whole(1, 100_000, "count"),
      50,
      "Calls a second of one caller, in the long run. Beyond it: `Throttling`.",
    ),
    burst: setting(whole(1, 100_000, "count"), 200, "Calls of one caller at once after a rest."),
  }),
  bundle: group("Bundles for sidecars, served on the API's port.", {
    keys: setting(
      path("folder"),
      ".mesh-iam/control-plane/keys",
      "For each organization a folder `{id}` with `bundle.pem` and `keysets/`, as `init` makes it. An organization without one publishes nothing.",
    ),
    headValidSeconds: setting(
      whole(60, 604_800, "seconds"),
      3_600,
      "How long a head is good; it is renewed every 30 s.",
    ),
  }),
  tls: group("TLS of the API; files are read again when they change.", {
    certFile: setting(optional(path("file")), null, "Certificate chain, PEM."),
    keyFile: setting(optional(path("file")), null, "Its key, PEM."),
    clientCaFile: setting(
      optional(path("file")),
      null,
      "Authorities of client certificates; with them every client has to show one.",
    ),
  }),
  jwks: authorizerSettings.jwks,
  drainSeconds: setting(
    whole(0, 600, "seconds"),
    10,
    "How long an end waits for the calls under way.",
  ),
  log: authorizerSettings.log,
} as const;

/** The control plane's configuration: complete, defaults applied, deeply frozen. */
export type ControlPlaneConfig = ValueOf<typeof controlPlaneSettings>;
