import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

// Isolation costs more than the tests themselves, which share no state. What never ends is ended by its
// processor time, not by a clock: a busy machine kills no mutant.
const options = "run --bail 1 --testTimeout 0 --no-isolate --pool threads --maxWorkers 1";
const maxCpuSeconds = 60;

/** A copy of the tree in which a file can be another without anybody noticing. */
export interface Copy {
  /** Returns whether some unit test fails with `text` as the file at `path`. */
  fails(path: string, text: string): boolean;
  /** Throws where the tests of the file at `path` fail as they stand: then they kill nothing. */
  prove(path: string): void;
  remove(): void;
}

/** Returns a copy of source and tests in a folder for temporary files. */
export function createCopy(): Copy {
  const folder = mkdtempSync(join(tmpdir(), "mesh-iam-mutation-"));
  for (const name of ["src/iam", "test/corpus", "test/property", "test/fakes"]) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  for (const name of ["package.json", "tsconfig.json", "vitest.config.ts"]) {
    cpSync(join(root, name), join(folder, name));
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const pass = (path: string): boolean => {
    const { paths, cases } = testsFor(path);
    const command = `ulimit -t ${maxCpuSeconds}; exec "$0" "$@"`;
    const words = [vitest, ...options.split(" "), ...paths];
    const { status } = spawnSync("/bin/sh", ["-c", command, process.execPath, ...words], {
      cwd: folder,
      env: { ...process.env, NO_COLOR: "1", MESH_IAM_CASES: `${cases}` },
    });
    return status === 0;
  };
  return {
    fails(path, text) {
      writeFileSync(join(folder, path), text);
      const isKilled = !pass(path);
      cpSync(join(root, path), join(folder, path));
      return isKilled;
    },
    prove(path) {
      if (!pass(path)) throw new Error(`these fail unchanged: ${testsFor(path).paths.join(" ")}`);
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

interface Tests {
  readonly paths: readonly string[];
  /** Random cases of each property that has a choice. */
  readonly cases: number;
}

/** The tests of a file, and the properties that speak of it. */
function testsFor(path: string): Tests {
  const properties = (...names: string[]) => names.map((name) => `test/property/${name}.test.ts`);
  if (path.includes("/glob")) {
    return { paths: ["src/iam/glob", ...properties("values", "growth")], cases: 3_000 };
  }
  if (path.includes("/condition/")) {
    // the record of operators also tells the loader what to refuse
    const loader = path.endsWith("operators.ts") ? ["src/iam/policy", "test/corpus/corpus"] : [];
    const related = properties("values", "growth", "validity");
    return { paths: ["src/iam/condition", "src/iam/compile", ...loader, ...related], cases: 1_000 };
  }
  if (/reference-(text|value)/.test(path)) {
    return { paths: ["src/iam/evaluation/reference", ...properties("values")], cases: 3_000 };
  }
  if (path.includes("/reference")) {
    return { paths: ["src/iam/evaluation/reference", ...properties("grant", "laws")], cases: 300 };
  }
  const related = properties("grant", "validity", "growth", "laws");
  return { paths: ["src/iam/evaluation", "src/iam/compile", ...related], cases: 300 };
}
