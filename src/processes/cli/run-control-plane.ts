import { loadControlPlaneConfig } from "../../adapters/config/control-plane.ts";
import {
  type ControlPlaneConfig,
  controlPlaneSettings,
} from "../../adapters/config/control-plane-schema.ts";
import { createLineWriter } from "../../adapters/telemetry/line-writer.ts";
import { createLog, switchLevelOnSignal } from "../../adapters/telemetry/log.ts";
import { type DocumentFile, readDocuments } from "../../domain/directory/documents.ts";
import { rootIdOf, uniqueId } from "../../domain/directory/unique-id.ts";
import { MeshIamError } from "../../iam/error.ts";
import { type Founding, initControlPlane } from "../control-plane/init.ts";
import { startControlPlane } from "../control-plane/start.ts";
import { type ConfigChoice, readSettings } from "./authorizer-config.ts";
import { readDocumentFiles } from "./document-files.ts";
import { type CommandIo, type ExitCode, exitCode } from "./io.ts";
import { listenForEnd } from "./process-end.ts";
import { packageVersion } from "./version.ts";

/** Runs the control plane until something ends it. Returns `failure` if that was a failure of ours. */
export async function runControlPlane(choice: ConfigChoice, io: CommandIo): Promise<ExitCode> {
  const config = await readControlPlane(choice, io);
  const stdout = createLineWriter(1);
  const log = logOf(config, stdout);
  switchLevelOnSignal(log, process);
  const end = listenForEnd({
    source: process,
    log,
    exit: () => process.exit(exitCode.failure),
    setTimer: (run, delayMs) => void setTimeout(run, delayMs).unref(),
  });
  const running = await startControlPlane(config, log);
  await Promise.race([end.asked, end.broken]);
  log.info("control-plane-draining", "the control plane finishes and ends");
  await running.drain();
  await stdout.flush();
  return end.isFailure ? exitCode.failure : exitCode.ok;
}

/** What the command line says of a new organization; what it leaves open, documents may say. */
export interface InitOptions {
  readonly name: string | null;
  readonly managementAccountId: string | null;
  readonly id: string | null;
  readonly rootId: string | null;
  /** Folder of the first set of documents. */
  readonly documents: string | null;
  readonly keysValidForMs: number;
  readonly isJson: boolean;
}

/** Makes an organization and prints what comes next. */
export async function runInit(
  choice: ConfigChoice,
  options: InitOptions,
  io: CommandIo,
): Promise<ExitCode> {
  const config = await readControlPlane(choice, io);
  const files = options.documents === null ? [] : await readDocumentFiles(options.documents, io);
  if (files === null) return exitCode.invalidInput;
  const founding = foundingOf(options, files);
  const stderr = createLineWriter(2);
  const made = await initControlPlane(config, founding, logOf(config, stderr), files);
  await stderr.flush();
  if (options.isJson) {
    io.out(`${JSON.stringify(made, null, 2)}\n`);
    return exitCode.ok;
  }
  const { rootFingerprint, rootKeyFile, bundleKeyFile, expiresAtMs } = made.keys;
  io.out(
    `organization: ${made.organization}, management account ${founding.managementAccountId}\n`,
  );
  io.out(`root fingerprint, for every sidecar: ${rootFingerprint}\n`);
  io.out(`root key, keep it offline: ${rootKeyFile}\n`);
  io.out(`bundle key: ${bundleKeyFile}\n`);
  io.out(`key set 1, valid until ${new Date(expiresAtMs).toISOString()}\n`);
  if (files.length > 0) io.out(`documents: ${made.steps} operations\n`);
  io.out("Next:  mesh-iam control-plane\n");
  return exitCode.ok;
}

function foundingOf(options: InitOptions, files: readonly DocumentFile[]): Founding {
  const written = organizationIn(files);
  const name = options.name ?? written?.name;
  const managementAccountId = options.managementAccountId ?? written?.managementAccountId;
  if (name === undefined || managementAccountId === undefined) {
    throw new MeshIamError(
      "usage",
      "expected `--name` and `--management-account`, or `--documents` with an Organization",
    );
  }
  const { keysValidForMs } = options;
  const id = options.id ?? written?.id ?? null;
  const rootId = options.rootId ?? written?.rootId ?? null;
  return { name, managementAccountId, id, rootId, keysValidForMs };
}

/** Returns what documents say of their organization, ids only where they are stated; null without one. */
function organizationIn(files: readonly DocumentFile[]) {
  const read = readDocuments(files);
  const organization = read.ok ? read.value.organization : null;
  if (organization === null) return null;
  const { id, rootId, name, managementAccountId } = organization;
  return {
    name,
    managementAccountId,
    id: id === uniqueId("Organization", "", name) ? null : id,
    rootId: rootId === rootIdOf(id) ? null : rootId,
  };
}

function readControlPlane(choice: ConfigChoice, io: CommandIo): Promise<ControlPlaneConfig> {
  return readSettings(choice, io, {
    settings: controlPlaneSettings,
    load: loadControlPlaneConfig,
  });
}

function logOf(config: ControlPlaneConfig, writer: ReturnType<typeof createLineWriter>) {
  return createLog({
    writer,
    nowMs: Date.now,
    component: "control-plane",
    version: packageVersion(),
    level: config.log.level,
    format: config.log.format,
  });
}
