import { readFileSync } from "node:fs";
import {
  type CheckAddress,
  type CheckClient,
  createCheckClient,
} from "../../../../adapters/envoy/check-client.ts";
import type { RunningProxy } from "../envoy.ts";
import { type Application, createApplication, serverName } from "./application.ts";
import {
  type FrontDoor,
  type Incoming,
  type Outgoing,
  openClearDoor,
  openTlsDoor,
} from "./front-door.ts";
import { mutate, toObject } from "./headers.ts";
import { formatLocalReply, type LocalReply } from "./local-reply.ts";
import { readRequest } from "./request.ts";

export interface StandInLayout {
  readonly upstreamPort: number;
  readonly authorizer: CheckAddress;
  /** PEM files. */
  readonly serverCertificate: string;
  readonly serverKey: string;
  readonly clientCa: string;
}

/** As long as the quickstart's Envoy waits. */
const checkTimeoutMs = 5000;
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
  const doors: FrontDoor[] = [];
  const stop = async (): Promise<void> => {
    application.close();
    client.close();
    await Promise.all(doors.map((door) => door.close()));
  };
  let count = 0;
  const handle = (incoming: Incoming, outgoing: Outgoing): void => {
    // Either may break off; what is left is told to the other by `serve`.
    incoming.on("error", () => {});
    outgoing.on("error", () => {});
    count++;
    serve(String(count), incoming, outgoing, client, application).catch(() => outgoing.destroy());
  };
  try {
    const clear = await openClearDoor(handle);
    doors.push(clear);
    const tls = await openTlsDoor(handle, {
      certificate: readFileSync(layout.serverCertificate, "utf8"),
      privateKey: readFileSync(layout.serverKey, "utf8"),
      clientAuthority: readFileSync(layout.clientCa, "utf8"),
    });
    doors.push(tls);
    return { httpPort: clear.port, tlsPort: tls.port, stop };
  } catch (failure) {
    await stop();
    throw failure;
  }
}

/** One request: read, asked about, answered or passed on. */
async function serve(
  id: string,
  incoming: Incoming,
  outgoing: Outgoing,
  client: CheckClient,
  application: Application,
): Promise<void> {
  const read = readRequest(incoming, id, Date.now());
  if (read.type === "refused") {
    answer(incoming, outgoing, { ...read, headers: [] });
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
      const headers = read.request.headers.map(([name, value]): readonly [string, string] => [
        name,
        Buffer.from(value).toString("latin1"),
      ]);
      const passed = mutate(headers, reply.set, reply.remove);
      if (!(await application.pass(passed, incoming, outgoing, reply.responseHeaders))) {
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
  outgoing.statusCode = status;
  for (const [name, value] of Object.entries(toObject(headers))) outgoing.setHeader(name, value);
  outgoing.setHeader("server", serverName);
  outgoing.end(body);
  // The rest of the request is not waited for.
  incoming.resume();
}
