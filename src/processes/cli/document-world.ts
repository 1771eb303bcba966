import { resolve } from "node:path";
import { readDocumentFolder } from "../../adapters/distribution/document-folder.ts";
import { nodeDisk } from "../../adapters/distribution/node-disk.ts";
import type { DocumentProblem } from "../../domain/directory/document-problem.ts";
import { createLookup, type DirectoryLookup } from "../../domain/directory/lookup.ts";
import type { Directory } from "../../domain/directory/model.ts";
import type { PrincipalPolicies } from "../../domain/directory/policies.ts";
import type { KnownTarget } from "../../domain/directory/target-by-arn.ts";
import type { EngineLayers } from "../../iam/compile/layers.ts";
import type { Parsed } from "../../iam/problem.ts";
import { impliedAllow } from "../authorizer/fronted-service.ts";
import { PolicyCompiler } from "../authorizer/policy-compiler.ts";

/** The policies of a directory, compiled when they are asked: what questions are put to. */
export interface DocumentWorld {
  readonly lookup: DirectoryLookup;
  readonly compiler: PolicyCompiler;
}

/** Returns `directory` ready to be asked. */
export function createWorld(directory: Directory): DocumentWorld {
  return { lookup: createLookup(directory), compiler: new PolicyCompiler() };
}

/** What reading a folder comes to. */
export type LoadedWorld =
  | { readonly ok: true; readonly value: DocumentWorld }
  | { readonly ok: false; readonly problems: readonly DocumentProblem[] };

/** Stands for key sets that documents name, which need not be there: no question asks for keys. */
export const noKeys = (): Parsed<string> => ({ ok: true, value: '{"keys":[]}' });

/**
 * Returns a reader of folders of documents that reads each folder once, with the ARNs of `partition`.
 * Throws `document-unreadable`, and `usage` for a partition that is none.
 */
export function createWorldReader(partition: string): (folder: string) => Promise<LoadedWorld> {
  const known = new Map<string, Promise<LoadedWorld>>();
  return (folder) => {
    const path = resolve(folder);
    const made = known.get(path) ?? readWorld(path, partition);
    known.set(path, made);
    return made;
  };
}

async function readWorld(folder: string, partition: string): Promise<LoadedWorld> {
  const read = await readDocumentFolder(nodeDisk, folder, { readFile: noKeys, partition });
  return read.ok ? { ok: true, value: createWorld(read.value) } : read;
}

/** Returns the layers of a question, the implied Allow of an open route among them (EXC-10). */
export function layersOf(
  caller: PrincipalPolicies,
  { policies, open }: KnownTarget,
  { compiler }: DocumentWorld,
): EngineLayers {
  const { permissionsBoundary, session } = caller;
  const type = policies.class === "role-trust" ? "trust" : "resource";
  const resource = [
    ...(open ? [impliedAllow] : []),
    ...(policies.resource === null ? [] : [policies.resource]),
  ];
  return {
    identity: compiler.set(caller.identity, "identity"),
    resource: resource.length === 0 ? null : compiler.set(resource, type),
    permissionsBoundary:
      permissionsBoundary && compiler.set([permissionsBoundary], "permissionsBoundary"),
    session: session && compiler.set(session, "session"),
    serviceControl: compiler.levels(caller.serviceControl, "serviceControl"),
    resourceControl: compiler.levels(policies.resourceControl, "resourceControl"),
  };
}
