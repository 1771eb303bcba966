import { readFileSync } from "node:fs";
import { type CheckClient, createCheckClient } from "../../../../adapters/envoy/check-client.ts";
import type { ListenAddress } from "../../../../adapters/envoy/listener.ts";
import { type Application, createApplication, serverName } from "./application.ts";
import { type Incoming, type Outgoing, openClearDoor, openTlsDoor } from "./front-door.ts";
import { formatLocalReply, type LocalReply } from "./local-reply.ts";
import { type Headers, mutate } from "./mutate.ts";
import { type ReadRequest, readRequest } from "./request.ts";

export interface StandInLayout {
  readonly upstreamPort: number;
  readonly authorizer: ListenAddress;
  /** PEM files. */
  readonly serverCertificate: string;
  readonly serverKey: string;
  readonly clientCa: string;
}

/** What stands in front of the sample application. */
export interface RunningProxy {
  readonly httpPort: number;
  readonly tlsPort: number;
  stop(): Promise<void>;
}

/** As long as the quickstart's Envoy waits. */
const checkTimeoutMs = 1000;
/** `status_on_error`: an outage is not a denial. */
const unavailable = 503;

/**
 * Returns a proxy that plays Envoy's part where none can be had: a clear-text and an mTLS listener
 * that ask the authorizer about every request and do as it says. It is no Envoy: it has the
 * quickstart's one filter and one route. A test compares the two, request by request.
 */
export async function startStandIn(layout: StandInLayout): Promise<RunningProxy> {
  const client = createCheckClient({ address: layout.authorizer, timeoutMs: checkTimeoutMs });
  const application = createApplication(layout.upstreamPort);
  let count = 0;
  const handle = (incoming: Incoming, outgoing: Outgoing): void => {
    incoming.on("error", () => {});
    outgoing.on("error", () => {});
    count++;
    const read = readRequest(incoming, String(count), Date.now());
    serve(read, incoming, outgoing, client, application).catch(() => outgoing.destroy());
  };
  const clear = await openClearDoor(handle);
  const tls = await openTlsDoor(handle, {
    certificate: readFileSync(layout.serverCertificate, "utf8"),
    privateKey: readFileSync(layout.serverKey, "utf8"),
    clientAuthority: readFileSync(layout.clientCa, "utf8"),
  });
  return {
    httpPort: clear.port,
    tlsPort: tls.port,
    async stop() {
      application.close();
      client.close();
      await Promise.all([clear.close(), tls.close()]);
    },
  };
}

async function serve(
  read: ReadRequest,
  incoming: Incoming,
  outgoing: Outgoing,
  client: CheckClient,
  application: Application,
): Promise<void> {
  if (read.type === "refused") {
    answer(incoming, outgoing, { status: read.status, headers: [], body: "" });
    return;
  }
  const reply = await client.check(read.request);
  switch (reply.type) {
    case "error":
      answer(incoming, outgoing, { status: unavailable, headers: [], body: "" });
      return;
    case "denied":
      answer(incoming, outgoing, reply);
      return;
    case "ok": {
      const headers: Headers = read.request.headers.map(([name, value]) => [
        name,
        Buffer.from(value).toString("latin1"),
      ]);
      const added = reply.responseHeaders.map(({ name, value }) => [name, value] as const);
      const passed = mutate(headers, reply.set, reply.remove);
      if (!(await application.pass(passed, incoming, outgoing, added))) {
        const body = "upstream connect error or disconnect/reset before headers";
        answer(incoming, outgoing, { status: unavailable, headers: [], body });
      }
    }
  }
}

function answer(incoming: Incoming, outgoing: Outgoing, reply: LocalReply): void {
  if (outgoing.destroyed) return; // the caller has gone
  const { method = "" } = incoming;
  const contentType = String(incoming.headers["content-type"] ?? "");
  const { status, headers, body } = formatLocalReply(reply, { method, contentType });
  const names = new Set(headers.map(([name]) => name));
  outgoing.statusCode = status;
  for (const name of names) {
    const values = headers.filter(([each]) => each === name).map(([, value]) => value);
    outgoing.setHeader(name, values.length === 1 ? (values[0] ?? "") : values);
  }
  outgoing.setHeader("server", serverName);
  outgoing.end(body);
  // The rest of the request is not waited for.
  incoming.resume();
}
