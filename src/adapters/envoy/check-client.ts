import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import { type CheckReply, readCheckReply } from "./check-reply.ts";
import { encodeCheckRequest, type ProxiedRequest } from "./check-request.ts";
import type { ListenAddress } from "./listener.ts";

/** The asking side of ext_authz: what Envoy is to us. */
export interface CheckClient {
  /**
   * Returns what to do with `request`. Every failure of the call, the timeout among them, is `error`:
   * it never rejects.
   */
  check(request: ProxiedRequest): Promise<CheckReply>;
  close(): void;
}

/** grpc-js, as a client, knows no abstract sockets. */
export type CheckAddress = Exclude<ListenAddress, { readonly type: "abstract" }>;

export interface CheckClientOptions {
  readonly address: CheckAddress;
  /** From the call to its answer, connecting included; Envoy's default is 200. */
  readonly timeoutMs: number;
}

const checkPath = "/envoy.service.auth.v3.Authorization/Check";

/**
 * Returns a client on one connection without TLS. It asks as Envoy does and is no proxy: what is done
 * with the reply is the caller's. Source: envoy-ext-authz 1, 2.2, 8.4.
 */
export function createCheckClient({ address, timeoutMs }: CheckClientOptions): CheckClient {
  const client = new Client(targetOf(address), credentials.createInsecure(), {
    "grpc.default_authority": "mesh-iam.local",
  });
  return {
    check(request) {
      return new Promise((resolve) => {
        client.makeUnaryRequest(
          checkPath,
          (message: ProxiedRequest) => Buffer.from(encodeCheckRequest(message)),
          readCheckReply,
          request,
          new Metadata(),
          { deadline: Date.now() + timeoutMs },
          (failure, reply) => {
            if (failure === null && reply !== undefined) resolve(reply);
            else resolve({ type: "error", detail: status[failure?.code ?? 2] ?? "UNKNOWN" });
          },
        );
      });
    },
    close: () => client.close(),
  };
}

// The names of gRPC's resolvers (grpc/grpc doc/naming.md).
function targetOf(address: CheckAddress): string {
  switch (address.type) {
    case "tcp":
      return `dns:${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
    case "unix":
      return `unix:${address.path}`;
  }
}
