import { loadConfig } from "../../../adapters/config/load.ts";
import type { AuthorizerConfig } from "../../../adapters/config/schema.ts";
import { createDecisionLog } from "../../../adapters/telemetry/decision-log.ts";
import { createLineWriter } from "../../../adapters/telemetry/line-writer.ts";
import { createLog } from "../../../adapters/telemetry/log.ts";
import { openSinks } from "../../../adapters/telemetry/open-sinks.ts";
import type { CheckOutcome } from "../../../domain/request/outcome.ts";
import { MeshIamError } from "../../../iam/error.ts";
import { startAuthorizer } from "../../authorizer/start.ts";
import { packageVersion } from "../version.ts";
import type { Workspace } from "./workspace.ts";

/** The quickstart's authorizer: the sidecar itself, with its decision log in a file. */
export interface SampleAuthorizer {
  readonly diagnostics: { readonly host: string; readonly port: number };
  /** Returns what was said about the last Check, once. */
  takeOutcome(): CheckOutcome | null;
  /** Resolves when every decision so far is in the file. */
  flushDecisions(): Promise<void>;
  /** From now on its log tells of every document that is read again. */
  tellOfEdits(): void;
  close(): Promise<void>;
}

/**
 * Returns the authorizer over the documents of `workspace`, ready. Every decision is logged with the
 * question behind it, and decided again by the second evaluator.
 */
export async function startSampleAuthorizer(workspace: Workspace): Promise<SampleAuthorizer> {
  const version = packageVersion();
  const log = createLog({
    writer: createLineWriter(2),
    nowMs: Date.now,
    component: "quickstart",
    version,
    // The sample documents have findings by design; `mesh-iam validate` shows them.
    level: "error",
    format: "text",
  });
  const config = sampleConfig(workspace);
  const sinks = openSinks({ console: false, file: workspace.decisionLog }, createLineWriter(1));
  const decisionLog = createDecisionLog({
    ...config.decisionLogs,
    sinks: sinks.sinks,
    labels: { instance: "quickstart", version },
    salt: new Uint8Array(16),
  });
  let last: CheckOutcome | null = null;
  const authorizer = await startAuthorizer(config, {
    log,
    decisionLog,
    build: { version, commit: "quickstart" },
    onOutcome(outcome) {
      last = outcome;
    },
  }).catch((failure: unknown) => {
    sinks.close();
    throw failure;
  });
  return {
    diagnostics: authorizer.diagnostics,
    takeOutcome() {
      const outcome = last;
      last = null;
      return outcome;
    },
    flushDecisions: () => decisionLog.flush(),
    tellOfEdits() {
      log.level = "info";
    },
    async close() {
      await authorizer.close();
      sinks.close();
    },
  };
}

function sampleConfig(workspace: Workspace): AuthorizerConfig {
  const loaded = loadConfig({
    flags: {
      addr: `unix://${workspace.socket}`,
      diagnosticAddr: "127.0.0.1:0",
      documents: workspace.documents,
      verbose: "true",
      drainSeconds: "0",
    },
    sets: ["selfCheck.sampleRate=1", "decisionLogs.input=true", "decisionLogs.allowSampleRate=1"],
  });
  if (loaded.ok) return loaded.value;
  const [problem] = loaded.problems;
  throw new MeshIamError("internal", `the sample configuration is refused: ${problem?.message}`);
}
