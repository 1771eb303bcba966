import { type ChildProcess, fork } from "node:child_process";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { createListener, type ListenerKind } from "../src/adapters/envoy/server.ts";
import { createRunDir, envoyForTests, startEnvoy } from "../test/e2e/envoy.ts";
import { http2Options, istioConfig } from "../test/e2e/envoy-config.ts";
import { http1Request } from "../test/fakes/http-client.ts";
import { startUpstream } from "../test/fakes/upstream.ts";

/*
 * How many cancelled Checks a second does a listener stand? (H2-001, H2-002, REL-016)
 *
 *   node bench/listener-resets.ts [http2|grpc-js] [cancels a second] [seconds]
 *
 * One Envoy with one worker, so every Check shares one connection. Clients open a request and abort
 * it while its Check waits; beside them 100 honest requests a second must all be answered.
 */

/** What one run showed. */
export interface ResetFigures {
  readonly kind: ListenerKind;
  readonly cancelsPerSecond: number;
  readonly seconds: number;
  readonly cancelled: number;
  /** Envoy's connections to the listener that were closed by it. */
  readonly closedByListener: number;
  /** Resets before the first of them; null: none was closed. */
  readonly firstCloseAfter: number | null;
  readonly honest: number;
  readonly honestFailures: number;
  /** Checks that Envoy counted as errors, honest or not. */
  readonly envoyErrors: number;
  readonly rssMb: number;
}

const allow = Buffer.from("0a001a00", "hex");

/** What the listener's process tells when asked. */
interface ServerFigures {
  readonly cancelled: number;
  readonly firstCloseAfter: number | null;
  readonly rssMb: number;
}

/** Serves in this process, which has nothing else to do: a busy generator must not starve it. */
async function serve(kind: ListenerKind): Promise<void> {
  let cancelled = 0;
  let firstCloseAfter: number | null = null;
  let open = 0;
  const listener = createListener(
    {
      address: { type: "tcp", host: "127.0.0.1", port: 0 },
      check: (message) =>
        Buffer.from(message).includes("/slow")
          ? new Promise((resolve) => setTimeout(resolve, 1000, allow))
          : allow,
      limits: { pendingTimeoutMs: 5000 },
      onCancel: () => {
        cancelled += 1;
      },
      log: (level, message, cause) => console.error(level, message, cause),
      onConnection: (now) => {
        if (now < open) firstCloseAfter ??= cancelled;
        open = now;
      },
    },
    kind,
  );
  const { address } = await listener.start();
  process.on("message", () => {
    const rssMb = Math.round(process.memoryUsage.rss() / 1_048_576);
    process.send?.({ cancelled, firstCloseAfter, rssMb } satisfies ServerFigures);
  });
  process.send?.(address);
}

function next<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve) => child.once("message", (value) => resolve(value as T)));
}

export async function measureResets(
  binary: string,
  kind: ListenerKind,
  cancelsPerSecond: number,
  seconds: number,
): Promise<ResetFigures> {
  const child = fork(fileURLToPath(import.meta.url), ["--serve", kind]);
  const address = await next<string>(child);
  const upstream = await startUpstream();
  const runDir = createRunDir();
  // Without Envoy's own guard, which gives a peer up at 1,000 control frames that wait for it: what is
  // asked here is when the listener closes.
  const http2 = http2Options({ max_outbound_control_frames: 1_000_000 });
  const cluster = { typed_extension_protocol_options: http2 };
  const timeout = "3s";
  const config = istioConfig({ runDir, authorizers: [address], upstream, timeout, cluster });
  const envoy = await startEnvoy({ binary, config, runDir, concurrency: 1 });
  try {
    const [host = "", port = ""] = envoy.address.split(":");
    const abort = () => {
      const socket = connect(Number(port), host);
      socket.on("error", () => {});
      socket.write("GET /slow HTTP/1.1\r\nhost: orders\r\n\r\n");
      setTimeout(() => socket.resetAndDestroy(), 10);
    };
    let honest = 0;
    let honestFailures = 0;
    const waiting: Promise<void>[] = [];
    const ask = async () => {
      const status = await http1Request(envoy.address).then(
        (reply) => reply.status,
        () => 0,
      );
      honest += 1;
      if (status !== 200) honestFailures += 1;
    };
    const startMs = performance.now();
    let aborts = 0;
    let asked = 0;
    for (;;) {
      const elapsed = (performance.now() - startMs) / 1000;
      if (elapsed > seconds) break;
      for (; aborts < elapsed * cancelsPerSecond; aborts++) abort();
      for (; asked < elapsed * 100; asked++) waiting.push(ask());
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await Promise.all(waiting);
    const figures = next<ServerFigures>(child);
    child.send("figures");
    const server = await figures;
    const stats = await envoy.counters(
      "(cluster.mesh_iam.upstream_cx_destroy_remote|ext_authz.error)$",
    );
    const stat = (end: string) => [...stats].find(([name]) => name.endsWith(end))?.[1] ?? 0;
    return {
      kind,
      cancelsPerSecond,
      seconds,
      ...server,
      closedByListener: stat("upstream_cx_destroy_remote"),
      honest,
      honestFailures,
      envoyErrors: stat("ext_authz.error"),
    };
  } finally {
    await envoy.stop();
    child.kill();
    await upstream.close();
  }
}

if (import.meta.main) {
  const [first = "http2", rate = "500", seconds = "60"] = process.argv.slice(2);
  if (first === "--serve") await serve(rate as ListenerKind);
  else {
    const binary = await envoyForTests();
    if (binary === null) process.exit(1);
    const kind = first as ListenerKind;
    console.log(JSON.stringify(await measureResets(binary, kind, Number(rate), Number(seconds))));
  }
}
