import { readFileSync } from "node:fs";

/** Returns the version in the package's manifest, which stands two folders above in source and build. */
export function packageVersion(): string {
  const manifest = new URL("../../../package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  return version;
}
