import { link, open, rm, stat } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { errorCodeOf, type FolderLock } from "./disk.ts";

const lockName = "lock";

/**
 * Returns a lock on `folder`, null while another process holds it.
 *
 * A listening Unix socket in the folder: the kernel ends it with the process, whatever kills that,
 * and it works between containers that share the volume, where process ids say nothing. A socket
 * that nobody listens on is left over and replaced; of two processes that do so at once at most one
 * sees its own socket afterwards, and `held` tells the other.
 */
export async function lockFolder(folder: string): Promise<FolderLock | null> {
  const handle = await open(folder);
  // A socket's address is short (108 bytes on Linux), a folder's path need not be.
  const short = process.platform === "linux" ? `/proc/self/fd/${handle.fd}` : folder;
  const own = `${lockName}.${process.pid}.${process.hrtime.bigint().toString(36)}`;
  const path = join(folder, lockName);
  const server = await listen(join(short, own));
  try {
    const { ino } = await stat(join(folder, own));
    const held = async () => {
      const found = await stat(path).catch(() => null);
      return found?.ino === ino;
    };
    if (!(await take(join(folder, own), path, join(short, lockName)))) {
      server.close();
      await handle.close();
      return null;
    }
    const release = async () => {
      if (await held()) await rm(path, { force: true });
      server.close();
      await handle.close();
    };
    return { held, release };
  } finally {
    await rm(join(folder, own), { force: true });
  }
}

/** Gives our socket the lock's name, unless somebody listens under it. */
async function take(own: string, path: string, short: string): Promise<boolean> {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await link(own, path);
      return true;
    } catch (error) {
      if (errorCodeOf(error) !== "EEXIST") throw error;
    }
    if (await isListening(short)) return false;
    await rm(path, { force: true });
  }
  return false;
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    // The lock alone keeps no process alive.
    server.unref();
    server.once("error", reject);
    server.listen(path, () => resolve(server));
  });
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error) => {
      const code = errorCodeOf(error);
      // Refused: left over. Absent: just released. Anything else counts as held, the safe guess.
      resolve(code !== "ECONNREFUSED" && code !== "ENOENT");
    });
  });
}
