import { parseArn } from "../../../iam/arn.ts";
import { meant } from "../../../iam/nearest-word.ts";
import { quote } from "../../../iam/problem.ts";
import { type EntityType, entityArn } from "../arns.ts";
import type { DocumentOptions, ExistingObjects, PolicyName, Quotas } from "../document-options.ts";
import { type Place, type Report, refuseAt } from "../document-problem.ts";
import type {
  Account,
  Directory,
  Organization,
  Service,
  WrittenAssignment,
  WrittenPermissionSet,
} from "../model.ts";
import type { Placed } from "../shape/scalars.ts";
import { nearest } from "../suggestion.ts";
import type { TrustTable } from "../trust-table.ts";
import { uniqueId } from "../unique-id.ts";
import type { Header } from "./header.ts";

/** Kinds that documents refer to by name within an account, or by ARN. */
export type NamedKind = "User" | "Group" | "Role" | "ManagedPolicy";

const namedKinds: Readonly<Record<NamedKind, { word: string; type: EntityType }>> = {
  User: { word: "user", type: "user" },
  Group: { word: "group", type: "group" },
  Role: { word: "role", type: "role" },
  ManagedPolicy: { word: "managed policy", type: "policy" },
};

/** The entities of the directory while they are being made. */
export type Draft = {
  -readonly [K in keyof Directory as Directory[K] extends readonly object[]
    ? K
    : never]: Directory[K] extends readonly (infer E)[] ? E[] : never;
};

/** A service, and where the texts stand that other services may be in conflict with. */
export interface PlacedService {
  readonly service: Service;
  readonly hosts: readonly Placed<string>[];
  readonly workloads: readonly Placed<string>[];
}

/**
 * What the documents of one run know of each other: every name that occurs, the organization, what has
 * been made so far. Lives for one run; kinds add to `draft`, `units` and `organization`.
 */
export class World {
  readonly partition: string;
  readonly quotas: Quotas;
  /** Of every file that is read as YAML. */
  readonly limits: DocumentOptions["limits"];
  readonly report: Report;
  readonly readFile: DocumentOptions["readFile"];
  readonly draft: Draft = {
    organizationalUnits: [],
    accounts: [],
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    users: [],
    groups: [],
    roles: [],
    workloads: [],
    managedPolicies: [],
    oidcProviders: [],
    trustDomains: [],
    services: [],
    poison: [],
  };
  organization: Organization | null;
  /** Ids of organizational units by their paths; the root is not in it. */
  readonly units: Map<string, string>;
  /** The tables of the trust domains by name. */
  readonly trustTables: Map<string, TrustTable>;
  /** The managed policies that permission sets name, by the set's name. */
  readonly permissionSets: Map<string, readonly PolicyName[]>;
  /** What is written and is in no directory. */
  readonly writtenSets: WrittenPermissionSet[] = [];
  readonly writtenAssignments: WrittenAssignment[] = [];
  /** The services with the places of what is checked between them. */
  readonly services: PlacedService[] = [];
  readonly #headers = new Map<string, Map<string, Header>>();
  readonly #accounts = new Set<string>();
  /** Accounts that are named, each with the first place that names it. */
  readonly #named = new Map<string, Place>();
  readonly #claims = new Map<string, Place>();
  readonly #existing: ExistingObjects;

  constructor(options: DocumentOptions, report: Report) {
    this.partition = options.partition;
    this.quotas = options.quotas;
    this.limits = options.limits;
    this.readFile = options.readFile;
    this.report = report;
    this.#existing = options.existing;
    const { organization, units, trustTables, permissionSets } = options.existing;
    this.organization = organization;
    this.units = new Map(units);
    this.trustTables = new Map(trustTables);
    this.permissionSets = new Map(permissionSets);
  }

  /** Makes the name of a document known. */
  add(header: Header): void {
    const key = `${header.kind}\0${header.account}`;
    const names = this.#headers.get(key) ?? new Map<string, Header>();
    names.set(header.name, header);
    this.#headers.set(key, names);
  }

  /** Returns the object of that kind, account and name, spelled exactly so: of the run, or beside it. */
  find(kind: string, account: string, name: string): Header | undefined {
    const written = this.#headers.get(`${kind}\0${account}`)?.get(name);
    if (written !== undefined) return written;
    const path = this.#existing.pathOf(kind, account, name);
    return path === undefined ? undefined : headerBeside(kind, account, name, path);
  }

  /** True when there is an object of that kind, be its document readable or not. */
  has(kind: "Organization"): boolean {
    return this.#headers.has(`${kind}\0`) || this.#existing.organization !== null;
  }

  /** Reports `code` at `place`. */
  refuse(place: Place, code: Parameters<typeof refuseAt>[2], message: string): void {
    refuseAt(this.report, place, code, message);
  }

  /** Reports the second and every further place that claims `value`; `what` says what the value is. */
  claim(what: string, value: string, place: Place): void {
    const key = `${what}\0${value}`;
    const first = this.#claims.get(key);
    if (first === undefined) {
      this.#claims.set(key, place);
      return;
    }
    const where = `${first.subject} at ${formatWhere(first)}`;
    this.refuse(
      place,
      "DUPLICATE_VALUE",
      `the ${what} ${quote(value)} is already that of ${where}`,
    );
  }

  /**
   * Returns the unique id of what `reference` names: a name in `account`, or an ARN of that account
   * (FILE-4). Null with a report for what does not exist.
   */
  refer(kind: NamedKind, account: string, reference: Placed<string>): string | null {
    const { value, place } = reference;
    const { word, type } = namedKinds[kind];
    if (!value.startsWith("arn:")) return this.#referByName(kind, account, value, place);
    const arn = parseArn(value);
    if (arn.ok && arn.value.account !== account) {
      const where = `expected a ${word} of the own account ${quote(account)}`;
      this.refuse(place, "UNKNOWN_REFERENCE", `${where}, got ${quote(value)}`);
      return null;
    }
    const header = this.#findByArn(kind, account, value);
    if (header !== null) return uniqueId(kind, account, header.name);
    const shape = `arn:${this.partition}:iam::${account}:${type}/<path and name>`;
    const expected = `expected the ARN of a ${word} that exists, ${quote(shape)}`;
    this.refuse(place, "UNKNOWN_REFERENCE", `${expected}, got ${quote(value)}`);
    return null;
  }

  /** Returns the id of the principal that an ARN of any account names, or null with a report. */
  referAcross(kind: NamedKind, reference: Placed<string>): string | null {
    const arn = parseArn(reference.value);
    if (arn.ok) return this.refer(kind, arn.value.account, reference);
    const { word, type } = namedKinds[kind];
    const shape = quote(`arn:${this.partition}:iam::<account>:${type}/<name>`);
    const message = `expected the ARN of a ${word}, ${shape}, got ${quote(reference.value)}`;
    this.refuse(reference.place, "INVALID_VALUE", message);
    return null;
  }

  #referByName(kind: NamedKind, account: string, name: string, place: Place): string | null {
    if (this.find(kind, account, name) !== undefined) return uniqueId(kind, account, name);
    const names = [...(this.#headers.get(`${kind}\0${account}`)?.keys() ?? [])];
    const what = `unknown ${namedKinds[kind].word} ${quote(name)} in account ${quote(account)}`;
    this.refuse(place, "UNKNOWN_REFERENCE", what + meant(nearest(name, names)));
    return null;
  }

  #findByArn(kind: NamedKind, account: string, text: string): Header | null {
    const name = text.slice(Math.max(text.lastIndexOf("/"), text.lastIndexOf(":")) + 1);
    const header = this.find(kind, account, name);
    if (header === undefined) return null;
    const { type } = namedKinds[kind];
    return entityArn(this.partition, account, type, header.path, name) === text ? header : null;
  }

  /** Makes an Account document known. */
  addAccount(id: string, place: Place): void {
    this.claim("account id", id, place);
    this.#accounts.add(id);
  }

  /** Says that `account` is named at `place`: it needs its document, or exists by that (FILE-10). */
  useAccount(account: string, place: Place): void {
    if (!this.#named.has(account)) this.#named.set(account, place);
  }

  /** Returns the id of the root, OU or account that `target` names, or null with a report. */
  referTarget(target: Placed<string>): string | null {
    const { value, place } = target;
    if (/^[0-9]{12}$/.test(value)) {
      this.useAccount(value, place);
      return value;
    }
    return this.referUnit(target);
  }

  /** Returns the id of the root (`/`) or of the OU at a path, or null with a report. */
  referUnit({ value, place }: Placed<string>): string | null {
    if (!this.has("Organization")) {
      const message = `${quote(value)} needs an Organization document`;
      this.refuse(place, "UNKNOWN_REFERENCE", message);
      return null;
    }
    if (value === "/") return this.organization?.rootId ?? null;
    const id = this.units.get(value);
    if (id !== undefined) return id;
    const what = `unknown organizational unit ${quote(value)}`;
    this.refuse(place, "UNKNOWN_REFERENCE", what + meant(nearest(value, [...this.units.keys()])));
    return null;
  }

  /**
   * Ends the run's accounts: without an organization each named one exists and is in none; with one,
   * a named account without a document is refused (FILE-10).
   */
  closeAccounts(): readonly Account[] {
    const isThere = (id: string) => this.#accounts.has(id) || this.#existing.hasAccount(id);
    const missing = [...this.#named].filter(([id]) => !isThere(id));
    if (!this.has("Organization")) return missing.map(([id]) => accountByName(id));
    for (const [id, place] of missing) {
      const what = `unknown account ${quote(id)}: expected an Account document for it`;
      const known = [...this.#accounts];
      this.refuse(place, "UNKNOWN_REFERENCE", what + meant(nearest(id, known)));
    }
    return [];
  }
}

/** An object that no document of the run writes stands nowhere in it. */
function headerBeside(kind: string, account: string, name: string, path: string): Header {
  const position = { line: 1, column: 1, offset: 0 };
  const place: Place = { file: "", subject: `${kind}/${name}`, path: "", position };
  return { kind, name, account, path, place, namePlace: place, accountPlace: place };
}

/** Returns `file:line:column` of `place`. */
export function formatWhere(place: Place): string {
  return `${place.file}:${place.position.line}:${place.position.column}`;
}

function accountByName(id: string): Account {
  return { id, name: id, parentId: null, email: "", tags: new Map(), state: "active" };
}
