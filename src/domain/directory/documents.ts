import { type Parsed, quote } from "../../iam/problem.ts";
import { sortedById } from "./compare-text.ts";
import {
  completeOptions,
  type DocumentOptions,
  type DocumentOptionsInput,
} from "./document-options.ts";
import { type DocumentProblem, type Report, refuseAt } from "./document-problem.ts";
import { readEnvelope, subjectOf } from "./envelope.ts";
import { freezeDeep } from "./freeze.ts";
import type { OpenDocument } from "./kinds/kind.ts";
import { documentKinds } from "./kinds/registry.ts";
import { formatWhere, World } from "./kinds/world.ts";
import type { Directory, WrittenAssignment, WrittenPermissionSet } from "./model.ts";
import { checkRun, serviceIdentitiesOf } from "./run-checks.ts";
import { finish, type Steps } from "./steps.ts";
import { yamlDocuments } from "./yaml/parse.ts";

/** A file of documents. `path` is relative to their folder, with `/`; it stands in every message. */
export interface DocumentFile {
  readonly path: string;
  readonly text: string;
}

/**
 * What reading comes to: a `Loaded<Directory>` whose problems say file and subject, sorted by place.
 * `dependencies` are the paths of files that documents name (`jwks.file`), read or not: a change of
 * one is a change of the documents.
 */
export type LoadedDocuments = { readonly dependencies: readonly string[] } & (
  | {
      readonly ok: true;
      readonly value: Directory;
      readonly findings: readonly DocumentProblem[];
      /** Checked and of no effect without a control plane (FILE-10). */
      readonly permissionSets: readonly WrittenPermissionSet[];
      readonly assignments: readonly WrittenAssignment[];
    }
  | { readonly ok: false; readonly problems: readonly DocumentProblem[] }
);

/**
 * Returns the directory that `files` write down, deeply frozen, or every problem that refuses them.
 *
 * Order does not matter, neither of files nor in them (FILE-5): all documents are read, then resolved,
 * then checked against each other, and entities stand in the order of their unique ids. A file without a
 * document that a document names as its key set is a key set only. Pure but for `options.readFile`; never throws
 * on what files say (`usage` for a partition that is none). Cost: linear in the texts; each policy is
 * parsed once. Source: control-plane, FILE-1 to FILE-10 and FILE-20 to FILE-26.
 */
export function readDocuments(
  files: readonly DocumentFile[],
  options: DocumentOptionsInput = {},
): LoadedDocuments {
  const complete = completeOptions(options);
  return finish(finish(openDocuments(files, complete)).read(complete.readFile));
}

/** Documents whose texts are parsed and that say which files they name. */
export interface OpenDocuments {
  /** As those of `LoadedDocuments`. */
  readonly dependencies: readonly string[];
  /** Comes to what `readDocuments` does; to be called once, with a reader that has the named files. */
  read(readFile: DocumentOptions["readFile"]): Steps<LoadedDocuments>;
}

/**
 * Comes to `files` opened, a document at a time: the dear half of `readDocuments`, for whoever has to get
 * the named files before the rest can be done, or has something else to do meanwhile.
 */
export function* openDocuments(
  files: readonly DocumentFile[],
  options: DocumentOptionsInput = {},
): Steps<OpenDocuments> {
  const complete = completeOptions(options);
  const opened: OpenFile[] = [];
  for (const file of files) opened.push(yield* openFile(file, complete));
  const named = opened.flatMap(({ documents }) => documents.flatMap((one) => one.files));
  const dependencies = [...new Set(named)].sort();
  return {
    dependencies,
    read: (readFile) => readOpened(files, opened, dependencies, { ...complete, readFile }),
  };
}

function* readOpened(
  files: readonly DocumentFile[],
  opened: readonly OpenFile[],
  dependencies: readonly string[],
  complete: DocumentOptions,
): Steps<LoadedDocuments> {
  const isKeySet = new Set(dependencies);
  // A file that holds a document is read as documents whatever names it: it might hold a Deny.
  const kept = opened.filter(({ path, documents }) => documents.length > 0 || !isKeySet.has(path));
  const report: Report = {
    problems: kept.flatMap((file) => file.report.problems),
    findings: kept.flatMap((file) => file.report.findings),
  };
  const readFile = readerOf(files, complete);
  const world = new World({ ...complete, readFile }, report);
  const documents = distinct(
    kept.flatMap((file) => file.documents),
    world,
  );
  for (const document of documents) {
    document.declare(world);
    yield;
  }
  for (const document of documents) {
    document.resolve(world);
    yield;
  }
  const implied = world.closeAccounts();
  checkRun(world);
  const directory = assemble(world, implied);
  if (report.problems.length === 0) {
    const findings = inOrder(report.findings, files);
    const { writtenSets: permissionSets, writtenAssignments: assignments } = world;
    const value = freezeDeep(directory);
    return { ok: true, value, findings, permissionSets, assignments, dependencies };
  }
  return { ok: false, problems: inOrder(report.problems, files), dependencies };
}

interface OpenFile {
  readonly path: string;
  readonly documents: readonly OpenDocument[];
  readonly report: Report;
}

function* openFile({ path, text }: DocumentFile, { limits }: DocumentOptions): Steps<OpenFile> {
  const report: Report = { problems: [], findings: [] };
  const documents: OpenDocument[] = [];
  for (const { root, broken, problems } of yamlDocuments(text, limits)) {
    yield;
    const subject = subjectOf(root);
    for (const { position, message } of problems) {
      refuseAt(report, { file: path, subject, path: "", position }, "SYNTAX_ERROR", message);
    }
    if (root === null || broken) continue;
    const envelope = readEnvelope(root, path, documentKinds, report);
    if (envelope === null) continue;
    const { kind, header, spec, specPlace } = envelope;
    documents.push(kind.open(header, spec, specPlace, report));
  }
  return { path, documents, report };
}

/** Returns the reader of named files: those among the documents are at hand. */
function readerOf(
  files: readonly DocumentFile[],
  { readFile }: DocumentOptions,
): (path: string) => Parsed<string> {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  return (path) => {
    const value = texts.get(path);
    return value === undefined ? readFile(path) : { ok: true, value };
  };
}

/**
 * Returns the documents in the order of the registry, those that stand for an object a second time
 * reported and left out, and makes the names of the others known to the world.
 */
function distinct(documents: readonly OpenDocument[], world: World): readonly OpenDocument[] {
  const rank = new Map(documentKinds.map(({ kind }, index) => [kind, index]));
  const rankOf = ({ header }: OpenDocument) => rank.get(header.kind) ?? 0;
  const seen = new Map<string, OpenDocument>();
  for (const document of documents) {
    const { header, key } = document;
    const identity = `${header.kind}\0${header.account}\0${key}`;
    const first = seen.get(identity);
    if (first !== undefined) {
      const other = `${first.header.place.subject} at ${formatWhere(first.header.namePlace)}`;
      const message = `${quote(header.name)} is the same object as ${other}`;
      world.refuse(header.namePlace, "DUPLICATE_NAME", message);
      continue;
    }
    seen.set(identity, document);
    world.add(header);
    if (header.account !== "") world.useAccount(header.account, header.accountPlace);
  }
  return [...seen.values()].sort((a, b) => rankOf(a) - rankOf(b));
}

function assemble(world: World, implied: Directory["accounts"]): Directory {
  const { draft, organization, partition } = world;
  return {
    org: organization?.id ?? "local",
    partition,
    organization,
    organizationalUnits: sortedById(draft.organizationalUnits),
    accounts: sortedById([...draft.accounts, ...implied]),
    serviceControlPolicies: sortedById(draft.serviceControlPolicies),
    resourceControlPolicies: sortedById(draft.resourceControlPolicies),
    users: sortedById(draft.users),
    groups: sortedById(draft.groups),
    roles: sortedById(draft.roles),
    workloads: sortedById(draft.workloads),
    managedPolicies: sortedById(draft.managedPolicies),
    oidcProviders: sortedById(draft.oidcProviders),
    trustDomains: sortedById(draft.trustDomains),
    services: sortedById(draft.services),
    serviceIdentities: serviceIdentitiesOf(world),
    poison: [],
  };
}

function inOrder(
  problems: readonly DocumentProblem[],
  files: readonly DocumentFile[],
): readonly DocumentProblem[] {
  const rank = new Map(files.map(({ path }, index) => [path, index]));
  const rankOf = ({ file }: DocumentProblem) => rank.get(file) ?? files.length;
  return [...problems].sort(
    (a, b) =>
      rankOf(a) - rankOf(b) ||
      (a.position?.line ?? 0) - (b.position?.line ?? 0) ||
      (a.position?.column ?? 0) - (b.position?.column ?? 0),
  );
}
