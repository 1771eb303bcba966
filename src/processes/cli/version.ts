import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where the package's manifest is: three folders above this file, in source and build alike. */
export const packageRoot = fileURLToPath(new URL("../../..", import.meta.url));

/** Returns the version in the package's manifest. */
export function packageVersion(): string {
  const manifest = readFileSync(join(packageRoot, "package.json"), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}
