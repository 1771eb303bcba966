import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { findEnvoy } from "../../../adapters/envoy/binary.ts";
import { MeshIamError } from "../../../iam/error.ts";
import type { CommandIo } from "../io.ts";
import { packageRoot } from "../version.ts";
import { type RunningProxy, startEnvoy } from "./envoy.ts";
import { startStandIn } from "./stand-in/start.ts";
import type { Workspace } from "./workspace.ts";

/** What plays Envoy's part: a real one, or the stand-in. */
export type ProxyChoice =
  | { readonly type: "envoy"; readonly binary: string }
  | { readonly type: "stand-in" };

/**
 * Returns a real Envoy where there is one or one can be fetched, else the stand-in, having said why.
 * Throws `envoy-missing` in CI, where a table without Envoy proves nothing, and for an `ENVOY_BIN`
 * that does not run: somebody meant that one.
 */
export async function chooseProxy(
  io: CommandIo,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<ProxyChoice> {
  const { env } = io;
  try {
    const cache = cacheFolder(packageRoot, env, homedir());
    return {
      type: "envoy",
      binary: await findEnvoy({ env, cacheFolder: cache, progress: say, signal }),
    };
  } catch (failure) {
    signal.throwIfAborted();
    const isOurs = failure instanceof MeshIamError && failure.code === "envoy-missing";
    if (!isOurs || isSet(env.ENVOY_BIN) || isSet(env.CI)) throw failure;
    say(failure.message);
    say("so mesh-iam's own stand-in plays Envoy's part; the table says so too");
    return { type: "stand-in" };
  }
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && !["", "0", "false"].includes(value);
}

/**
 * Returns where the fetched Envoy is kept: the repository's own `.cache` when this runs in a clone,
 * else the user's cache (XDG Base Directory: an `XDG_CACHE_HOME` that is not absolute does not count).
 */
export function cacheFolder(
  root: string,
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): string {
  if (isClone(root)) return join(root, ".cache");
  const base = env.XDG_CACHE_HOME ?? "";
  return join(isAbsolute(base) ? base : join(home, ".cache"), "mesh-iam");
}

/** The published package has no sources. */
export function isClone(root: string): boolean {
  return existsSync(join(root, "src", "processes"));
}

/** Returns the chosen proxy, running, in front of the application at `upstreamPort` of loopback. */
export function startProxy(
  choice: ProxyChoice,
  workspace: Workspace,
  upstreamPort: number,
  signal: AbortSignal,
): Promise<RunningProxy> {
  const files = {
    upstreamPort,
    serverCertificate: workspace.serverCertificate,
    serverKey: workspace.serverKey,
    clientCa: workspace.authorityFile,
  };
  switch (choice.type) {
    case "envoy": {
      const layout = { ...files, authorizerSocket: workspace.socket };
      return startEnvoy(choice.binary, workspace.folder, layout, signal);
    }
    case "stand-in":
      return startStandIn({ ...files, authorizer: { type: "unix", path: workspace.socket } });
  }
}
