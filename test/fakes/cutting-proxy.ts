import { connect, createServer, type Socket } from "node:net";

/** What becomes of a connection when the client says something. */
export type Fate =
  | "pass"
  /** It breaks before the server hears it. */
  | "cut-before"
  /** The server hears it; its answer, and all after it, is lost. */
  | "cut-answer";

/** Stands between a client and a server on the loopback address, and breaks connections on purpose. */
export async function cuttingProxy(
  port: number,
  fate: (said: string) => Fate,
): Promise<{ readonly port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(port, "127.0.0.1");
    let isMuted = false;
    const end = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on("error", end);
      socket.on("close", () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on("data", (chunk: Buffer) => {
      const decided = fate(chunk.toString("latin1"));
      if (decided === "cut-before") return end();
      if (decided === "cut-answer") isMuted = true;
      server.write(chunk);
    });
    server.on("data", (chunk: Buffer) => {
      // The answer shows that the server has done it; nobody else ever hears.
      if (isMuted) end();
      else client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = proxy.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    close() {
      proxy.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
