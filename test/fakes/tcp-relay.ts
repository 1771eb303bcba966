import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A network between two sockets that a test can disturb. */
export interface TcpRelay {
  readonly port: number;
  /** Connections that were taken. */
  readonly connections: number;
  /** Bytes stop, no socket ends: what a pulled cable looks like. */
  stall(): void;
  /** Every connection is reset. */
  cut(): void;
  close(): void;
}

/** Returns a relay on loopback to `port`. */
export async function createTcpRelay(port: number): Promise<TcpRelay> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((near) => {
    connections++;
    const far = connect(port, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    stall() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    cut() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
