import type { Command } from "commander";
import { formatDocumentProblem, printable } from "../../domain/directory/document-problem.ts";
import { collect } from "./collect.ts";
import { parseDurationMs } from "./duration.ts";
import type { CommandIo } from "./io.ts";
import { partitionOption } from "./partition-option.ts";
import { printableJson } from "./printable-json.ts";
import { unwrap } from "./unwrap.ts";
import { wholeNumber } from "./whole-number.ts";

/** Adds `bundle build|sign|inspect|verify`: what CI builds is what production runs. */
export function addBundle(program: Command, io: CommandIo): void {
  const bundle = program
    .command("bundle")
    .summary("build, sign, look into and check a bundle")
    .description(
      "A bundle is a folder that a sidecar runs from: `head`, `objects/<sha256>`, `keysets/<n>`. Its head\n" +
        "is signed, everything else is named by its digest, so any carrier will do.",
    )
    .addHelpText(
      "after",
      "\nFrom documents to a running sidecar:\n" +
        "  mesh-iam keys generate --out keys --org o-acme123456\n" +
        "  mesh-iam bundle build --documents ./policies --out ./bundle\n" +
        "  mesh-iam bundle sign --key keys/bundle.pem ./bundle\n" +
        "  mesh-iam bundle verify --root-fingerprint sha256:… ./bundle\n" +
        "  mesh-iam authorizer --folder ./bundle --bundle-root-fingerprints sha256:…\n",
    );
  addBuild(bundle, io);
  addSign(bundle, io);
  addInspect(bundle, io);
  addVerify(bundle, io);
}

interface BuildOptions {
  readonly documents: string;
  readonly out: string;
  readonly service?: readonly string[];
  readonly revision?: string;
  readonly validFor: string;
  readonly partition: string;
  readonly json?: boolean;
}

function addBuild(bundle: Command, io: CommandIo): void {
  bundle
    .command("build")
    .requiredOption("--documents <folder>", "the folder of documents")
    .requiredOption("--out <folder>", "where the bundle goes")
    .option("--service <account/name>", "only what this service needs; may be repeated", collect)
    .option("--revision <number>", "default: the seconds since 1970")
    .option("--valid-for <duration>", "how long the head is valid: 12h, 7d", "7d")
    .addOption(partitionOption())
    .option("--json", "print the result as JSON")
    .summary("build a bundle from a folder of documents, not signed yet")
    .action(async (options: BuildOptions) => {
      const [{ buildFolder }, { nodeDisk }] = await Promise.all([
        import("../../adapters/distribution/build-folder.ts"),
        import("../../adapters/distribution/node-disk.ts"),
      ]);
      const built = unwrap(
        await buildFolder(nodeDisk, {
          documents: options.documents,
          out: options.out,
          services: options.service ?? null,
          revision:
            options.revision === undefined ? null : wholeNumber("--revision", options.revision),
          nowMs: Date.now(),
          validForMs: parseDurationMs(options.validFor),
          reading: { partition: options.partition },
        }),
      );
      for (const finding of built.findings) {
        io.err(`${finding.severity} ${formatDocumentProblem(finding)}\n`);
      }
      const { head } = built.bundle;
      const facts = {
        folder: options.out,
        ...headFacts(head),
        parts: built.bundle.objects.size,
        signed: false,
      };
      if (options.json === true) io.out(`${printableJson(facts)}\n`);
      else {
        io.out(`built slice ${head.slice} at revision ${head.revision} in ${options.out}\n`);
        io.out(`next: mesh-iam bundle sign --key keys/bundle.pem ${options.out}\n`);
      }
    });
}

function addSign(bundle: Command, io: CommandIo): void {
  bundle
    .command("sign")
    .argument("<folder>", "a folder that bundle build wrote")
    .requiredOption("--key <file>", "the bundle key, PKCS#8 PEM")
    .option("--key-sets <folder>", "the folder with keysets/<n>; default: beside the key")
    .summary("sign the head and add the key sets")
    .action(async (folder: string, options: { key: string; keySets?: string }) => {
      const [{ signFolder }, { nodeDisk }] = await Promise.all([
        import("../../adapters/distribution/sign-folder.ts"),
        import("../../adapters/distribution/node-disk.ts"),
      ]);
      const signed = unwrap(
        await signFolder(nodeDisk, {
          folder,
          keyFile: options.key,
          keySetsFolder: options.keySets ?? null,
          nowMs: Date.now(),
        }),
      );
      io.out(
        `signed revision ${signed.head.revision} with ${signed.keyId}, key set ${signed.keySet}\n`,
      );
    });
}

function addInspect(bundle: Command, io: CommandIo): void {
  bundle
    .command("inspect")
    .argument("<folder>", "a bundle, signed or not")
    .option("--json", "print everything as JSON")
    .summary("show what a bundle says of itself; proves nothing")
    .action(async (folder: string, options: { json?: boolean }) => {
      const [{ inspectFolder }, { nodeDisk }, { formatPartId }] = await Promise.all([
        import("../../adapters/distribution/inspect-folder.ts"),
        import("../../adapters/distribution/node-disk.ts"),
        import("../../domain/bundle/part-id.ts"),
      ]);
      const seen = unwrap(await inspectFolder(nodeDisk, folder));
      const { head, signedBy, keySets, content, problem } = seen;
      const facts = {
        ...headFacts(head),
        signedBy,
        keySets: keySets.map(({ keySet, signedBy: roots }) => ({
          number: keySet.number,
          signedBy: roots,
        })),
        sizeBytes: content?.sizeBytes ?? null,
        parts: (content?.parts ?? []).map(({ id, bytes }) => ({ id: formatPartId(id), bytes })),
        services: (content?.directory.services ?? []).map(
          ({ account, name }) => `${account}/${name}`,
        ),
        problem,
      };
      if (options.json === true) io.out(`${printableJson(facts)}\n`);
      else io.out(`${formatFacts(facts)}\nnot verified: bundle verify does that\n`);
    });
}

interface VerifyOptions {
  readonly rootFingerprint: readonly string[];
  readonly slice?: string;
  readonly org?: string;
  readonly json?: boolean;
}

function addVerify(bundle: Command, io: CommandIo): void {
  bundle
    .command("verify")
    .argument("<folder>", "a signed bundle")
    .requiredOption(
      "--root-fingerprint <sha256:hex>",
      "a root key that is trusted; may be repeated",
      collect,
    )
    .option("--slice <name>", "the slice that the head must name")
    .option("--org <id>", "the organization that it must be of")
    .option("--json", "print the result as JSON")
    .summary("check everything about a bundle, as a sidecar does at its first start")
    .action(async (folder: string, options: VerifyOptions) => {
      const [{ verifyFolder }, { nodeDisk }] = await Promise.all([
        import("../../adapters/distribution/verify-folder.ts"),
        import("../../adapters/distribution/node-disk.ts"),
      ]);
      const verified = unwrap(
        await verifyFolder(nodeDisk, {
          folder,
          rootFingerprints: options.rootFingerprint,
          org: options.org ?? null,
          slice: options.slice ?? null,
          nowMs: Date.now(),
        }),
      );
      const facts = {
        ...headFacts(verified.head),
        keySet: verified.keySet.number,
        sizeBytes: verified.sizeBytes,
        parts: verified.parts.length,
      };
      if (options.json === true) io.out(`${printableJson({ verified: true, ...facts })}\n`);
      else io.out(`${formatFacts(facts)}\nverified\n`);
    });
}

function headFacts(head: {
  readonly org: string;
  readonly slice: string;
  readonly epoch: number;
  readonly revision: number;
  readonly coveredRevision: number;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}) {
  return {
    org: head.org,
    slice: head.slice,
    epoch: head.epoch,
    revision: head.revision,
    coveredRevision: head.coveredRevision,
    issuedAt: new Date(head.issuedAtMs).toISOString(),
    expiresAt: new Date(head.expiresAtMs).toISOString(),
  };
}

function formatFacts(facts: Readonly<Record<string, unknown>>): string {
  return Object.entries(facts)
    .filter(([, value]) => value !== null)
    .map(([name, value]) =>
      printable(`${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`),
    )
    .join("\n");
}
