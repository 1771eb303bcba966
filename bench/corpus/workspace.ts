import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CheckCorpus, createCheckCorpus } from "./check-requests.ts";
import { organizationDocuments } from "./organization.ts";
import { createTokenSource } from "./tokens.ts";

/** Documents on disk, and the messages that ask about them. */
export interface Workspace {
  readonly folder: string;
  /** What the authorizer reads. */
  readonly documents: string;
  readonly corpus: CheckCorpus;
  /** Replaces the documents by another edition: a new revision that decides alike. */
  rewrite(): void;
  remove(): void;
}

/** Users, each with a token; and messages, each a question of its own. */
export interface CorpusSize {
  readonly users: number;
  readonly messages: number;
}

export const usualSize: CorpusSize = { users: 1000, messages: 4096 };
export const quickSize: CorpusSize = { users: 100, messages: 512 };

/** Returns a workspace in the system's temporary folder. */
export function createWorkspace({ users, messages }: CorpusSize): Workspace {
  const folder = mkdtempSync(join(tmpdir(), "mesh-iam-bench-"));
  const documents = join(folder, "documents");
  mkdirSync(documents);
  const tokens = createTokenSource(Date.now());
  writeFileSync(join(documents, "jwks.json"), tokens.jwks);
  let edition = 0;
  const write = () => {
    const text = organizationDocuments(users, { file: "jwks.json" }, edition++);
    // Beside the folder first: a half-written file in it would be read.
    const fresh = join(folder, "organization.yaml");
    writeFileSync(fresh, text);
    renameSync(fresh, join(documents, "organization.yaml"));
  };
  write();
  return {
    folder,
    documents,
    corpus: createCheckCorpus(tokens, users, messages),
    rewrite: write,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
