import { accountOf, type Principal } from "../../../iam/principal.ts";
import type { OrganizationFacts } from "../../../iam/request-context.ts";
import { readPrincipal } from "../../../iam/scenario-principal.ts";
import { ownOrganization, readTarget, type Target } from "../../../iam/scenario-question.ts";
import { entriesOf, type Place, refuse } from "../../../iam/scenario-reader.ts";

/** A principal of the file, with the organization of its account. */
export interface NamedPrincipal {
  readonly principal: Principal;
  readonly organization: OrganizationFacts | null;
}

/**
 * Reads the principals and resources of a file, each once however many questions name it: questions
 * share what is read, and a mistake is reported once.
 */
export class NamedReader {
  readonly #organization: OrganizationFacts | null;
  readonly #fromDocuments: boolean;
  readonly #principals = new Map<Place, NamedPrincipal | null>();
  readonly #resources = new Map<Place, Target | null>();
  readonly #assumed = new Map<Place, Target | null>();

  /** With `fromDocuments`, what documents say of a principal or resource is not said in the file. */
  constructor(organization: OrganizationFacts | null, fromDocuments: boolean) {
    this.#organization = organization;
    this.#fromDocuments = fromDocuments;
  }

  /** Returns the principal at `place`, null with problems. */
  principal(place: Place): NamedPrincipal | null {
    return once(this.#principals, place, () => this.#readPrincipal(place));
  }

  /** Returns the resource at `place`, null with problems; `isAssumed` as of `readTarget`. */
  resource(place: Place, isAssumed: boolean): Target | null {
    const known = isAssumed ? this.#assumed : this.#resources;
    return once(known, place, () => this.#readResource(place, isAssumed));
  }

  #readPrincipal(place: Place): NamedPrincipal | null {
    const principal = readPrincipal(place);
    if (this.#fromDocuments) {
      const isSession = principal?.type === "assumed-role" || principal?.type === "federated-user";
      const tags = isSession ? [] : ["tags"];
      refuseKnown(place, ["id", "path", "serviceLinked", "organization", ...tags]);
    }
    if (principal === null) return null;
    const isOfAccount = accountOf(principal) !== null;
    const organization = isOfAccount ? ownOrganization(place, this.#organization) : null;
    return { principal, organization };
  }

  #readResource(place: Place, isAssumed: boolean): Target | null {
    const target = readTarget(place, isAssumed, this.#organization);
    if (this.#fromDocuments) refuseKnown(place, ["class", "organization"]);
    return target;
  }
}

function once<V>(known: Map<Place, V>, place: Place, read: () => V): V {
  const before = known.get(place);
  if (before !== undefined) return before;
  const value = read();
  known.set(place, value);
  return value;
}

/** The documents are the one place where these things are said. */
function refuseKnown(place: Place, names: readonly string[]): void {
  for (const [name, field] of place.value.type === "object" ? (entriesOf(place) ?? []) : []) {
    if (!names.includes(name)) continue;
    refuse(field, "CONFLICT", `the documents say it: leave out \`${name}\``);
  }
}
