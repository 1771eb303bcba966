import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

/**
 * The house, held in code: who may import whom within and between the floors, and which folders an
 * outside package lives in (DESIGN 3). This test is the authority; Biome's restricted imports only
 * say the same while typing.
 */
const floor: Readonly<Record<string, number>> = {
  gen: 0,
  iam: 1,
  request: 2,
  credentials: 2,
  directory: 2,
  sts: 2,
  principal: 2,
  bundle: 2,
  envoy: 3,
  distribution: 3,
  store: 3,
  keys: 3,
  telemetry: 3,
  config: 3,
  issuers: 4,
  authorizer: 4,
  "control-plane": 4,
  cli: 4,
};

const domain = ["request", "credentials", "directory", "sts", "principal", "bundle"];
const adapters = ["envoy", "distribution", "keys", "telemetry", "config"];

const allowed: Readonly<Record<string, readonly string[]>> = {
  iam: [],
  request: ["iam"],
  credentials: ["iam", "request"],
  directory: ["iam", "request"],
  sts: ["iam", "credentials", "directory"],
  principal: ["iam", "request", "credentials", "directory", "sts"],
  bundle: ["iam", "request", "directory", "gen"],
  envoy: ["iam", "request", "telemetry", "gen"],
  distribution: ["iam", "bundle", "directory", "telemetry", "gen"],
  store: ["iam", "telemetry"],
  keys: ["iam", "telemetry"],
  telemetry: ["iam", "request"],
  config: ["iam", "request"],
  issuers: ["iam", ...domain, "keys"],
  authorizer: ["iam", ...domain, ...adapters, "issuers"],
  "control-plane": [
    "iam",
    ...domain,
    ...adapters.filter((name) => name !== "envoy"),
    "store",
    "issuers",
    "gen",
  ],
  cli: ["iam", ...domain, ...adapters, "store", "authorizer", "control-plane"],
  gen: [],
  "index.ts": ["iam"],
};

/** `node:` modules that live in one folder, as an outside package does. */
const nodeHomes: Readonly<Record<string, string>> = { "node:sqlite": "store" };

/** `node:` modules a folder may import; the adapters and processes may import any other. */
const nodeModules: Readonly<Record<string, readonly string[]>> = {
  iam: [],
  request: [],
  directory: ["node:crypto"],
  principal: ["node:crypto"],
  sts: ["node:crypto"],
  credentials: ["node:crypto"],
  bundle: ["node:crypto", "node:zlib"],
};

const homes: Readonly<Record<string, readonly string[]>> = {
  "@grpc/grpc-js": ["envoy"],
  "@bufbuild/protobuf": ["gen", "bundle", "envoy", "distribution", "control-plane"],
  "@connectrpc/connect": ["distribution"],
  "@connectrpc/connect-node": ["distribution"],
  "prom-client": ["telemetry"],
  pino: ["telemetry"],
  "lru-cache": ["authorizer", "keys"],
  jose: ["keys"],
  pkijs: ["keys"],
  asn1js: ["keys"],
  yaml: ["config", "directory"],
  commander: ["cli"],
  pg: ["store"],
};

const specifiers = /\b(?:import|export)\b[^"';]*?\bfrom\s*"([^"]+)"|\bimport\s*\(?\s*"([^"]+)"/g;
const impure = /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\bperformance\.now\b/;
const layers = new Set(["domain", "adapters", "processes"]);

function folder(path: string): string {
  const [, top = "", inner = ""] = path.split("/");
  return layers.has(top) ? inner : top;
}

// "@bufbuild/protobuf/wire" -> the folders of "@bufbuild/protobuf"
function home(name: string): readonly string[] | undefined {
  return homes[
    name
      .split("/")
      .slice(0, name.startsWith("@") ? 2 : 1)
      .join("/")
  ];
}

function fits(from: string, to: string): boolean {
  if (to === from || allowed[from]?.includes(to) || home(to)?.includes(from)) return true;
  if (!to.startsWith("node:")) return false;
  if (to in nodeHomes) return nodeHomes[to] === from;
  const named = nodeModules[from];
  return named === undefined ? (floor[from] ?? 0) >= 3 : named.includes(to);
}

const sources = globSync("src/**/*.ts").filter((path) => !path.endsWith(".test.ts"));

test("every import follows the tables", () => {
  const broken: string[] = [];
  let seen = 0;
  for (const path of sources) {
    const from = folder(path);
    for (const match of readFileSync(path, "utf8").matchAll(specifiers)) {
      const target = match[1] ?? match[2] ?? "";
      const to = target.startsWith(".") ? folder(join(dirname(path), target)) : target;
      if (!fits(from, to)) broken.push(`${path}: ${target}`);
      seen++;
    }
  }
  expect(broken).toEqual([]);
  expect(seen).toBeGreaterThan(10);
});

test("no floor imports a higher one", () => {
  const pairs = Object.entries(allowed)
    .filter(([from]) => from !== "index.ts")
    .flatMap(([from, to]) => to.map((t) => [from, t] as const));
  expect(pairs.length).toBeGreaterThan(0);
  expect(pairs.filter(([from, to]) => (floor[to] ?? 0) > (floor[from] ?? 0))).toEqual([]);
});

test("every folder of the source is in the tables", () => {
  const folders = new Set(sources.map(folder));
  expect([...folders].filter((name) => !(name in allowed))).toEqual([]);
});

test("the language and the domain read no clock and no randomness", () => {
  const pure = sources.filter(
    (path) => path.startsWith("src/iam/") || path.startsWith("src/domain/"),
  );
  expect(pure.length).toBeGreaterThan(10);
  expect(pure.filter((path) => impure.test(readFileSync(path, "utf8")))).toEqual([]);
});

test("no RegExp is made from data, and no URL parser stands on the request path", () => {
  const path = /^src\/(iam|domain\/(request|credentials|principal)|adapters\/envoy)\//;
  const onPath = sources.filter((file) => path.test(file));
  expect(onPath.length).toBeGreaterThan(10);
  expect(
    onPath.filter((file) =>
      /\bnew RegExp\b|\bnew URL\b|\bURL\.parse\b/.test(readFileSync(file, "utf8")),
    ),
  ).toEqual([]);
});
