import type { Command } from "commander";
import { parseDurationMs } from "./duration.ts";
import type { CommandIo } from "./io.ts";
import { unwrap } from "./unwrap.ts";

/** Adds `keys generate`. */
export function addKeys(program: Command, io: CommandIo): void {
  const keys = program.command("keys").summary("make the keys that bundles are signed with");
  keys
    .command("generate")
    .requiredOption("--out <folder>", "where the keys go; made for its owner alone")
    .option("--org <id>", "the organization's id, as the documents say it", "local")
    .option("--valid-for <duration>", "how long the key set is good", "365d")
    .option("--json", "print the result as JSON")
    .summary("make a root key, a bundle key and key set 1")
    .description(
      "Makes an offline root key, an online bundle key (PKCS#8 PEM, mode 0600) and the first key set, and\n" +
        "prints the root's fingerprint, which sidecars are installed with. Keep root.pem offline: it is\n" +
        "needed only to sign the next key set.",
    )
    .action(async (options: { out: string; org: string; validFor: string; json?: boolean }) => {
      const [{ generateKeys }, { generatePrivateKey }, { nodeDisk }] = await Promise.all([
        import("../../adapters/distribution/key-files.ts"),
        import("../../adapters/distribution/generate-signer.ts"),
        import("../../adapters/distribution/node-disk.ts"),
      ]);
      const made = unwrap(
        await generateKeys(
          nodeDisk,
          {
            folder: options.out,
            org: options.org,
            nowMs: Date.now(),
            validForMs: parseDurationMs(options.validFor),
          },
          generatePrivateKey,
        ),
      );
      if (options.json === true) {
        io.out(`${JSON.stringify(made, null, 2)}\n`);
        return;
      }
      io.out(`root fingerprint: ${made.rootFingerprint}\n`);
      io.out(`root key, keep it offline: ${made.rootKeyFile}\n`);
      io.out(`bundle key: ${made.bundleKeyFile}\n`);
      io.out(
        `key set 1, valid until ${new Date(made.expiresAtMs).toISOString()}: ${made.keySetFile}\n`,
      );
    });
}
