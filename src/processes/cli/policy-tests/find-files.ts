import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { MeshIamError } from "../../../iam/error.ts";
import { quote } from "../../../iam/problem.ts";
import { unreadable } from "../files.ts";

/** A folder of folders that goes on for ever is a mistake, not a test suite. */
const maxDepth = 32;
const maxFiles = 10_000;

/**
 * Returns the test files that `paths` name: files as they are, of folders every `*_test.yaml` in them,
 * sorted by path, none twice. Folders whose name begins with `.`, `node_modules` and links to folders are
 * passed over. Throws `document-unreadable`; `usage` where there is none, or more than 10,000.
 */
export async function findTestFiles(paths: readonly string[]): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const path of paths) {
    const facts = await stat(path).catch((cause: unknown) => {
      throw unreadable(path, cause);
    });
    if (facts.isDirectory()) await walk(path, 0, found);
    else found.add(path);
  }
  if (found.size === 0) {
    throw new MeshIamError("usage", `no *_test.yaml file in ${paths.map(quote).join(", ")}`);
  }
  return [...found].sort();
}

async function walk(folder: string, depth: number, found: Set<string>): Promise<void> {
  if (depth > maxDepth) throw new MeshIamError("usage", `${quote(folder)} lies too deep`);
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw unreadable(folder, cause);
  });
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
      await walk(path, depth + 1, found);
    } else if (entry.name.endsWith("_test.yaml")) {
      found.add(path);
      if (found.size > maxFiles)
        throw new MeshIamError("usage", `more than ${maxFiles} test files`);
    }
  }
}
