import { inspectFolder } from "../../../adapters/distribution/inspect-folder.ts";
import { nodeDisk } from "../../../adapters/distribution/node-disk.ts";
import { formatDocumentProblem } from "../../../domain/directory/document-problem.ts";
import { MeshIamError } from "../../../iam/error.ts";
import { quote } from "../../../iam/problem.ts";
import { createWorld, createWorldReader, type DocumentWorld } from "../document-world.ts";
import { type CommandIo, type ExitCode, exitCode } from "../io.ts";
import { paintOf } from "../paint.ts";
import { unwrap } from "../unwrap.ts";
import { decideAgain } from "./decide-again.ts";
import { logLines } from "./log-lines.ts";
import { readLoggedDecision } from "./logged-decision.ts";
import {
  type Difference,
  differenceOf,
  formatReplay,
  formatReplayJson,
  type NotReplayed,
  type Replay,
} from "./report.ts";

export interface ReplayRequest {
  /** A decision log that was written with `decisionLogs.input`; `-` reads standard input. */
  readonly log: string;
  /** Exactly one of them is there. */
  readonly documents: string | undefined;
  readonly folder: string | undefined;
  /** Of the documents' ARNs. */
  readonly partition: string;
  readonly json: boolean;
}

/**
 * Decides every decision of a log again by other documents, prints what changes, and returns 5 if
 * something does, 0 if nothing, 3 where the log has nothing that could be decided again: that nothing
 * differs would then be no finding. Throws what reading log, documents or bundle throws.
 */
export async function replayLog(request: ReplayRequest, io: CommandIo): Promise<ExitCode> {
  const world = await readWorld(request);
  const replay = await replayLines(request.log, world, io);
  io.out(`${request.json ? formatReplayJson(replay) : formatReplay(replay, paintOf(io))}\n`);
  if (replay.replayed === 0) {
    io.err(`mesh-iam: ${quote(request.log)} has no decision that could be made again\n`);
    return exitCode.invalidInput;
  }
  return replay.differences.length > 0 ? exitCode.differences : exitCode.ok;
}

async function replayLines(log: string, world: DocumentWorld, io: CommandIo): Promise<Replay> {
  const differences: Difference[] = [];
  const notReplayed: NotReplayed[] = [];
  let replayed = 0;
  for await (const { number, text } of logLines(log, io)) {
    const lose = (id: string | null, why: string): void => {
      notReplayed.push({ line: number, id, why });
    };
    if (text === null) {
      lose(null, "it is longer than any record");
      continue;
    }
    const logged = readLoggedDecision(text);
    if (logged.type === "other") continue;
    if (logged.type === "lost") {
      lose(logged.id, logged.why);
      continue;
    }
    const again = decideAgain(logged, world);
    if (!again.ok) {
      lose(logged.id, again.message);
      continue;
    }
    replayed++;
    const { decision, open } = again.value;
    const difference = differenceOf(number, logged, decision, open);
    if (difference !== null) differences.push(difference);
  }
  return { replayed, differences, notReplayed };
}

async function readWorld({ documents, folder, partition }: ReplayRequest): Promise<DocumentWorld> {
  if (documents !== undefined) {
    const loaded = await createWorldReader(partition)(documents);
    if (loaded.ok) return loaded.value;
    const lines = loaded.problems.map(formatDocumentProblem);
    const message = `the documents are not accepted\n  ${lines.join("\n  ")}`;
    throw new MeshIamError("document-invalid", message);
  }
  const { content, problem } = unwrap(await inspectFolder(nodeDisk, folder ?? ""));
  if (content !== null) return createWorld(content.directory);
  throw new MeshIamError(
    problem?.code ?? "bundle-unreadable",
    `${quote(folder ?? "")} cannot be read: ${problem?.detail ?? "it has no content"}`,
  );
}
