import { randomBytes, randomUUID } from "node:crypto";
import type { ControlPlaneConfig } from "../../adapters/config/control-plane-schema.ts";
import { generatePrivateKey } from "../../adapters/distribution/generate-signer.ts";
import { type GeneratedKeys, generateKeys } from "../../adapters/distribution/key-files.ts";
import { nodeDisk } from "../../adapters/distribution/node-disk.ts";
import { systemClock } from "../../adapters/distribution/system-clock.ts";
import type { Log } from "../../adapters/telemetry/log.ts";
import type { DocumentFile } from "../../domain/directory/documents.ts";
import { createNewId } from "../../domain/directory/operations/new-id.ts";
import type { Operation } from "../../domain/directory/operations/operation.ts";
import { prepare } from "../../domain/directory/operations/prepare.ts";
import { isRefused } from "../../domain/directory/operations/refusal.ts";
import { operations } from "../../domain/directory/operations/registry.ts";
import { organizationOf } from "../../domain/directory/state/organization-state.ts";
import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";
import { keyFolder } from "./bundle-keys.ts";
import type { CallRefusal, CallResult, CallSuccess } from "./call-result.ts";
import { type LiveOrganization, openOrganization } from "./live-organization.ts";
import { openConfiguredStore } from "./open-store.ts";

/** What a new organization is. */
export interface Founding {
  readonly name: string;
  readonly managementAccountId: string;
  /** Null: a new one. */
  readonly id: string | null;
  readonly rootId: string | null;
  /** How long key set 1 is good. */
  readonly keysValidForMs: number;
}

export interface Founded {
  readonly organization: string;
  readonly keys: GeneratedKeys;
  /** Operations that the first documents came to. */
  readonly steps: number;
}

/** The local operator, before anybody else exists. */
const founderOrigin = { requestId: "", sourceIp: null, userAgent: "mesh-iam init", secure: true };

/**
 * Makes an organization in the configured store: its management account, the offline root key, the first
 * bundle key and key set 1 (TEN-4); no credential. `documents`, a first set, are applied as root.
 *
 * Throws `store-org-exists` for one that is there, `document-invalid` for an input that is not accepted,
 * `key-invalid` for keys that are there already, `state-locked` beside a running control plane.
 */
export async function initControlPlane(
  config: ControlPlaneConfig,
  founding: Founding,
  log: Log,
  documents: readonly DocumentFile[] = [],
): Promise<Founded> {
  const org = founding.id ?? createNewId(randomBytes)("organization");
  const { name, managementAccountId, rootId } = founding;
  const input = { name, managementAccountId, id: org, ...(rootId === null ? {} : { rootId }) };
  // Before anything is made: an empty organization left behind would be in everybody's way.
  const prepared = prepare(createOrganization(), input);
  if (isRefused(prepared)) throw notAccepted(prepared);
  const instance = randomUUID();
  const surroundings = { clock: systemClock, random: Math.random, instance };
  const engine = await openConfiguredStore(config.store, surroundings);
  try {
    await engine.store.createOrg(org);
    const live = await openOrganization(org, {
      engine,
      clock: systemClock,
      randomBytes,
      log,
      instance,
      partition: config.partition,
    });
    if (organizationOf(live.replica.state) !== null) {
      throw new MeshIamError(
        "store-org-exists",
        `the store has the organization ${quote(org)} already`,
      );
    }
    const made = await generateKeys(
      nodeDisk,
      {
        folder: keyFolder(config, org),
        org,
        nowMs: systemClock.nowMs(),
        validForMs: founding.keysValidForMs,
      },
      generatePrivateKey,
    );
    if (!made.ok) throw new MeshIamError(made.code, made.message);
    expectOk(await found(live, input, managementAccountId));
    const steps =
      documents.length === 0 ? 0 : await applyFirst(live, documents, managementAccountId);
    await live.close();
    return { organization: org, keys: made.value, steps };
  } finally {
    await engine.close();
  }
}

function createOrganization(): Operation {
  const operation = operations.get("organizations:CreateOrganization");
  if (operation === undefined) throw new MeshIamError("internal", "no such operation");
  return operation;
}

async function found(live: LiveOrganization, input: object, home: string): Promise<CallResult> {
  return await live.service.call({
    caller: { type: "break-glass", home },
    origin: { ...founderOrigin, requestId: randomUUID() },
    operation: createOrganization(),
    input,
    clientToken: null,
    dryRun: false,
    force: false,
    eventual: false,
  });
}

async function applyFirst(
  live: LiveOrganization,
  files: readonly DocumentFile[],
  home: string,
): Promise<number> {
  const result = expectOk(
    await live.documents.apply({
      caller: { type: "break-glass", home },
      origin: { ...founderOrigin, requestId: randomUUID() },
      files,
      dryRun: false,
      prune: false,
      // What founding has just made is the documents' from here on.
      takeOver: true,
      force: false,
      manager: "mesh-iam-apply",
      planDigest: null,
    }),
  );
  return (result.answer.steps as readonly unknown[]).length;
}

function expectOk(result: CallResult): CallSuccess {
  if (result.ok) return result;
  throw notAccepted(result);
}

function notAccepted({ code, field, message }: Pick<CallRefusal, "code" | "field" | "message">) {
  const where = field === null ? "" : `${field}: `;
  return new MeshIamError("document-invalid", `${where}${message} (${code})`);
}
