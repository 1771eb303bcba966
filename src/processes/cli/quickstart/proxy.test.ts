import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { cacheFolder } from "./proxy.ts";

const scratch = mkdtempSync(join(tmpdir(), "mesh-iam-cache-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const clone = join(scratch, "clone");
mkdirSync(join(clone, "src/processes"), { recursive: true });
const installed = join(scratch, "node_modules/mesh-iam");

test.each([
  {
    why: "a clone keeps its own",
    root: clone,
    env: { XDG_CACHE_HOME: "/c" },
    is: join(clone, ".cache"),
  },
  { why: "an installed package", root: installed, env: {}, is: "/home/ana/.cache/mesh-iam" },
  {
    why: "a cache of the user's choice",
    root: installed,
    env: { XDG_CACHE_HOME: "/c" },
    is: "/c/mesh-iam",
  },
  {
    why: "a choice that is no absolute path",
    root: installed,
    env: { XDG_CACHE_HOME: "c" },
    is: "/home/ana/.cache/mesh-iam",
  },
])("where Envoy is kept: $why", ({ root, env, is }) => {
  expect(cacheFolder(root, env, "/home/ana")).toBe(is);
});
