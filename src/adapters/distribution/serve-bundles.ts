import { constants } from "node:http2";
import {
  Code,
  ConnectError,
  type ContextValues,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
  type ServiceImpl,
} from "@connectrpc/connect";
import {
  type connectNodeAdapter,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import { toHex } from "../../domain/bundle/digest.ts";
import { BundleService } from "../../gen/meshiam/bundle/v1/bundle_service_pb.ts";
import type { BundleServer, ServingRefusal } from "./bundle-server.ts";
import { type CarrierPath, parseCarrierPath } from "./carrier-path.ts";
import type { Clock } from "./clock.ts";
import type { Peer } from "./fleet.ts";
import { decodeReport, encodeEvent, isPlainName } from "./watch-messages.ts";

/** A request listener of `node:http`, `node:https` and `node:http2` alike. */
export type RequestHandler = ReturnType<typeof connectNodeAdapter>;
export type ServerRequest = Parameters<RequestHandler>[0];
type ServerResponse = Parameters<RequestHandler>[1];

export interface ServeBundlesOptions {
  /** Returns who has proven to ask: from the certificate of the connection, or a token. */
  readonly authenticate: (request: ServerRequest) => Peer | null | Promise<Peer | null>;
  /** Told of what nobody foresaw; the peer learns only that it failed. */
  readonly onError: (failure: unknown) => void;
  readonly clock: Clock;
  /** A call whose message has not come in full by then is cut. Default 10 s. */
  readonly requestTimeoutMs?: number;
}

interface Caller {
  readonly peer: Peer;
  /** Ends the call's stream, whatever is still to be written. */
  readonly cut: () => void;
}

const callerKey = createContextKey<Caller | null>(null);
const maxRequestBytes = 1_048_576;

/**
 * Returns the request listener that serves bundles: `BundleService` in the Connect protocol, and the
 * paths of control-plane 2.4, 2, by GET. Everything needs a peer that `authenticate` knows; whatever
 * is not for it is 404, like what does not exist (BUN-37).
 *
 * Nothing is compressed on the way: objects are zstd frames (BUN-8).
 */
export function serveBundles(server: BundleServer, options: ServeBundlesOptions): RequestHandler {
  const router = createConnectRouter({
    grpc: false,
    grpcWeb: false,
    acceptCompression: [],
    readMaxBytes: maxRequestBytes,
  }).service(BundleService, serviceOf(server));
  const methods = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  const answer = async (request: ServerRequest, response: ServerResponse): Promise<void> => {
    const [path = ""] = (request.url ?? "").split("?", 1);
    const peer = await options.authenticate(request);
    if (peer === null) {
      send(response, { status: 401, headers: { "www-authenticate": "Bearer" } });
      return;
    }
    const method = methods.get(path);
    if (method === undefined) {
      send(response, answerPath(server, peer, request.method ?? "", parseCarrierPath(path)));
      return;
    }
    const values = createContextValues();
    values.set(callerKey, { peer, cut: () => cutStream(request, response) });
    const call = callOf(request, response, values);
    if (call === null) {
      send(response, { status: 400 });
      return;
    }
    // Nothing of the library's bounds how long a peer may take over half a message.
    const { clock, requestTimeoutMs = 10_000 } = options;
    const timer = clock.after(requestTimeoutMs, () => {
      if (!request.complete) cutStream(request, response);
    });
    response.once("close", () => timer.cancel());
    await universalResponseToNodeResponse(await method(call), response);
  };

  return (request, response) => {
    answer(request, response).catch((failure: unknown) => {
      if (!isPeerGone(failure, response)) options.onError(failure);
      if (response.headersSent) cutStream(request, response);
      else send(response, { status: 500 });
    });
  };
}

/** Returns the call that a request makes, null for one whose authority or path makes no URL. */
function callOf(request: ServerRequest, response: ServerResponse, values: ContextValues) {
  try {
    return universalRequestFromNodeRequest(request, response, undefined, values);
  } catch {
    // The library throws outside of any promise; what it found wrong, the peer knows.
    return null;
  }
}

function serviceOf(server: BundleServer): ServiceImpl<typeof BundleService> {
  return {
    async *watch(request, context) {
      const { peer, cut } = callerOf(context);
      const { org, instanceId, have } = request;
      if (!isPlainName(org) || !isPlainName(instanceId)) throw invalidNames();
      const opened = server.watch({
        peer,
        org,
        instance: instanceId,
        heldManifest: toHex(have?.manifestDigest ?? new Uint8Array()),
        stalled: cut,
      });
      if (!opened.ok) throw refusalError(opened);
      const { session } = opened;
      // A generator that waits for an event does not learn that its peer has gone.
      const end = () => session.end();
      context.signal.addEventListener("abort", end);
      if (context.signal.aborted) end();
      try {
        for (;;) {
          const event = await session.next();
          if (event === null) return;
          yield encodeEvent(event);
        }
      } finally {
        context.signal.removeEventListener("abort", end);
        end();
      }
    },
    async reportStatus(request, context) {
      const report = decodeReport(request);
      if (report === null) throw invalidNames();
      const served = server.report(callerOf(context).peer, report);
      if (!served.ok) throw refusalError(served);
      return {};
    },
  };
}

function callerOf(context: HandlerContext): Caller {
  const caller = context.values.get(callerKey);
  // INVARIANT: set by the only code that calls a method.
  if (caller === null) throw new ConnectError("no caller", Code.Internal);
  return caller;
}

function invalidNames(): ConnectError {
  const message = "expected names of 1 to 128 letters, digits or `.-_`, and positions in range";
  return new ConnectError(message, Code.InvalidArgument);
}

const codes: Readonly<Record<ServingRefusal["type"], Code>> = {
  forbidden: Code.PermissionDenied,
  absent: Code.NotFound,
  overloaded: Code.ResourceExhausted,
  unready: Code.Unavailable,
};

const statuses: Readonly<Record<ServingRefusal["type"], number>> = {
  forbidden: 403,
  absent: 404,
  overloaded: 429,
  unready: 503,
};

function refusalError({ type, detail, retryAfterMs }: ServingRefusal): ConnectError {
  return new ConnectError(detail, codes[type], retryHeader(retryAfterMs));
}

function retryHeader(retryAfterMs: number | null): Record<string, string> {
  return retryAfterMs === null ? {} : { "retry-after": String(Math.ceil(retryAfterMs / 1000)) };
}

/** A head is a moment's truth; what is named by its digest, or numbered, never changes. */
const cacheControl: Readonly<Record<CarrierPath["type"], string>> = {
  head: "private, no-store",
  object: "private, max-age=31536000, immutable",
  "key-set": "private, max-age=31536000, immutable",
};

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

function answerPath(
  server: BundleServer,
  peer: Peer,
  method: string,
  path: CarrierPath | null,
): Answer {
  if (path === null) return { status: 404 };
  if (method !== "GET") return { status: 405, headers: { allow: "GET" } };
  const served = server.get(peer, path);
  if (!served.ok) {
    return { status: statuses[served.type], headers: retryHeader(served.retryAfterMs) };
  }
  const headers = {
    "content-type": "application/octet-stream",
    "cache-control": cacheControl[path.type],
  };
  return { status: 200, headers, body: served.bytes };
}

function send(response: ServerResponse, answer: Answer): void {
  const { status, headers = {}, body = new Uint8Array() } = answer;
  const caching = status === 200 ? {} : { "cache-control": "no-store" };
  response.writeHead(status, { ...caching, ...headers, "content-length": body.length });
  response.end(body);
}

function cutStream(request: ServerRequest, response: ServerResponse): void {
  if ("stream" in response) response.stream?.close(constants.NGHTTP2_CANCEL);
  else request.socket.destroy();
}

/** Whether a failure only says that the other side ended the call, or was cut. */
function isPeerGone(failure: unknown, response: ServerResponse): boolean {
  const { code } = ConnectError.from(failure);
  const isEnd = code === Code.Aborted || code === Code.Canceled || code === Code.DeadlineExceeded;
  if ("stream" in response) return isEnd || response.stream?.destroyed !== false;
  return isEnd || response.destroyed;
}
