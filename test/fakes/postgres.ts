import { execFile, spawn } from "node:child_process";
import { chownSync, existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";

const exec = promisify(execFile);

/** A real PostgreSQL server of one test file. */
export interface PostgresServer {
  /** Runs SQL as the owner of everything; returns its rows. */
  run(sql: string, database?: string): Promise<readonly Record<string, unknown>[]>;
  /** Makes an empty database and returns its URL. */
  database(): Promise<string>;
  readonly port: number;
  /** `immediate`: as a crash; nothing is flushed that was not synced. */
  stop(mode: "fast" | "immediate"): Promise<void>;
  start(): Promise<void>;
  /** Stops it and removes everything. */
  dispose(): Promise<void>;
}

interface PostgresSettings {
  /** Off is faster and nothing is lost but by a crash of the machine. Default true. */
  readonly fsync?: boolean;
  /** An ICU locale by which text is compared unless a column says otherwise. Default: byte order. */
  readonly icuLocale?: string;
  /** PEM texts; the server then listens on 127.0.0.2 as well. */
  readonly tls?: { readonly certificate: string; readonly privateKey: string };
}

/** Where Debian's package, the environment or the PATH has the server's programs; null without any. */
function binFolder(): string | null {
  const named = process.env.POSTGRES_BIN;
  const folders = [
    ...(named === undefined ? [] : [named]),
    ...globSync("/usr/lib/postgresql/*/bin").toSorted().toReversed(),
    ...(process.env.PATH ?? "").split(":"),
  ];
  return folders.find((folder) => existsSync(join(folder, "initdb"))) ?? null;
}

/**
 * Why no test on PostgreSQL can run here, null where they can. In CI that is a failure and not a skip:
 * a suite that is not run proves nothing.
 */
export function postgresMissing(): string | null {
  if (binFolder() !== null) return null;
  const why = "PostgreSQL is not installed: apt-get install postgresql, or set POSTGRES_BIN";
  if (process.env.CI === "true") throw new Error(why);
  process.stderr.write(`SKIPPED: ${why}\n`);
  return why;
}

/** initdb refuses root: root runs the server as the package's user, or as nobody. */
async function userOfServer(): Promise<{ uid: number; gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  for (const name of ["postgres", "nobody"]) {
    const found = await exec("id", ["-u", name]).catch(() => null);
    if (found === null) continue;
    const group = await exec("id", ["-g", name]);
    return { uid: Number(found.stdout), gid: Number(group.stdout) };
  }
  throw new Error("no user that a PostgreSQL server can run as");
}

/** Starts a server on a free port of the loopback address, in a folder of its own. */
export async function startPostgres(settings: PostgresSettings = {}): Promise<PostgresServer> {
  const bin = binFolder();
  if (bin === null) throw new Error("PostgreSQL is not installed");
  const user = await userOfServer();
  const folder = mkdtempSync(join(tmpdir(), "mesh-iam-postgres-"));
  if (user !== null) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const port = await freePort();
  const run = (program: string, ...args: string[]) =>
    exec(join(bin, program), args, { cwd: folder, ...user });
  await run(
    "initdb",
    ...["--pgdata", data, "--username", "owner", "--auth", "trust", "--encoding", "UTF8"],
    ...["--locale", "C", "--no-sync"],
    ...(settings.icuLocale === undefined
      ? []
      : ["--locale-provider", "icu", "--icu-locale", settings.icuLocale]),
  );

  if (settings.tls !== undefined) {
    const { certificate, privateKey } = settings.tls;
    for (const [name, text] of [
      ["server.crt", certificate] as const,
      ["server.key", privateKey] as const,
    ]) {
      writeFileSync(join(data, name), text, { mode: 0o600 });
      if (user !== null) chownSync(join(data, name), user.uid, user.gid);
    }
  }

  const client = async (database: string) => {
    const made = new Client({ host: "127.0.0.1", port, user: "owner", database });
    await made.connect();
    return made;
  };
  const ask = async (sql: string, database = "postgres") => {
    const connection = await client(database);
    try {
      return (await connection.query(sql)).rows ?? [];
    } finally {
      await connection.end();
    }
  };
  let ended: Promise<unknown> = Promise.resolve();
  let made = 0;
  const server: PostgresServer = {
    port,
    run: ask,
    async database() {
      const name = `d${++made}`;
      await ask(`CREATE DATABASE ${name}`);
      return `postgres://owner@127.0.0.1:${port}/${name}?sslmode=disable`;
    },
    async start() {
      const options = {
        port,
        listen_addresses: settings.tls === undefined ? "127.0.0.1" : "127.0.0.1,127.0.0.2",
        ssl: settings.tls === undefined ? "off" : "on",
        unix_socket_directories: folder,
        fsync: settings.fsync === false ? "off" : "on",
        max_connections: 60,
        shared_buffers: "16MB",
        log_min_messages: "panic",
        logging_collector: "off",
      };
      const flags = Object.entries(options).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
      const child = spawn(join(bin, "postgres"), ["-D", data, ...flags], {
        cwd: folder,
        stdio: ["ignore", "ignore", "inherit"],
        ...user,
      });
      ended = new Promise((resolve) => child.once("exit", resolve));
      await answers(ended, () => client("postgres").then((one) => one.end()));
    },
    async stop(mode) {
      await run("pg_ctl", "stop", "--pgdata", data, "--mode", mode, "--silent").catch(() => {});
      await ended;
    },
    async dispose() {
      await server.stop("immediate");
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

/** Waits until the server answers, or throws when it has ended. */
async function answers(ended: Promise<unknown>, ask: () => Promise<void>): Promise<void> {
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  for (;;) {
    try {
      return await ask();
    } catch (reason) {
      if (isOver) throw new Error("PostgreSQL does not start", { cause: reason });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
