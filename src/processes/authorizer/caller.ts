import type { MappedPrincipal } from "../../domain/principal/mapped-principal.ts";
import { mayBeFaulty } from "../../domain/request/context-keys.ts";
import type { WebIdentityTrust } from "../../domain/sts/web-identity-trust.ts";
import type { EngineLayers } from "../../iam/compile/layers.ts";
import type { PolicySet } from "../../iam/compile/policy-set.ts";
import { readSet } from "../../iam/compile/reads.ts";
import { isClockKey } from "../../iam/condition/clock.ts";
import type { FrontedService } from "./fronted-service.ts";
import type { PolicyCompiler } from "./policy-compiler.ts";

/**
 * A principal of one snapshot with its policy sets: what every Check of one credential shares. The
 * decision cache hangs off its identity, which therefore stands for everything that is fixed by the
 * caller.
 */
export class Caller {
  readonly mapped: MappedPrincipal;
  /** Not null: the role's trust is asked on every Check, and no decision is remembered (STS-9). */
  readonly trust: WebIdentityTrust | null;
  readonly #identity: PolicySet;
  readonly #permissionsBoundary: PolicySet | null;
  readonly #session: PolicySet | null;
  readonly #serviceControl: readonly PolicySet[] | null;
  readonly #question = new Map<FrontedService, Question>();
  readonly #impliedQuestion = new Map<FrontedService, Question>();

  constructor(mapped: MappedPrincipal, trust: WebIdentityTrust | null, compiler: PolicyCompiler) {
    const { policies } = mapped;
    this.mapped = mapped;
    this.trust = trust;
    this.#identity = compiler.set(policies.identity, "identity");
    this.#permissionsBoundary =
      policies.permissionsBoundary === null
        ? null
        : compiler.set([policies.permissionsBoundary], "permissionsBoundary");
    this.#session = policies.session === null ? null : compiler.set(policies.session, "session");
    this.#serviceControl = compiler.levels(policies.serviceControl, "serviceControl");
  }

  /** Returns the question that this caller puts to `service`; `implied`: behind the Allow of EXC-10. */
  question(service: FrontedService, implied: boolean): Question {
    const questions = implied ? this.#impliedQuestion : this.#question;
    const known = questions.get(service);
    if (known !== undefined) return known;
    const made = new Question({
      identity: this.#identity,
      resource: implied ? service.impliedResource : service.resource,
      permissionsBoundary: this.#permissionsBoundary,
      session: this.#session,
      serviceControl: this.#serviceControl,
      resourceControl: service.resourceControl,
    });
    questions.set(service, made);
    return made;
  }
}

/** What is known of the keys that a question about one action can read, before it is asked. */
export interface Reads {
  /** Every key that a candidate of the action can read, sorted, lower-case. */
  readonly keys: readonly string[];
  /** Those that vary between requests for one target of one caller: what a cached answer compares. */
  readonly varying: readonly string[];
  /** Those that a request or a token can make faulty (KEY-8, KEY-9): asked for before an evaluation. */
  readonly faultable: readonly string[];
  /** Whether one of them moves with the clock (KEY-5). */
  readonly moveWithClock: boolean;
}

/** The layers of one caller at one service, with what each action can read of a request. */
export class Question {
  readonly layers: EngineLayers;
  readonly #reads = new Map<string, Reads>();

  constructor(layers: EngineLayers) {
    this.layers = layers;
  }

  /** Returns what `action` can read; actions come from route maps, so the memo is bounded by them. */
  reads(action: string, service: FrontedService): Reads {
    const known = this.#reads.get(action);
    if (known !== undefined) return known;
    const keys = readSet(this.layers, action);
    const own = new Map(
      service.definition.contextKeys.map((key) => [key.key.toLowerCase(), key.source.type]),
    );
    const made: Reads = {
      keys,
      varying: keys.filter((key) => isVarying(key, own.get(key))),
      faultable: keys.filter(
        (key) => key.startsWith("mesh:jwtclaim/") || mayBeFaulty(key, service.definition),
      ),
      moveWithClock: keys.some(isClockKey),
    };
    this.#reads.set(action, made);
    return made;
  }
}

const fixed: ReadonlySet<string> = new Set([
  // By the target, method and host, which a cached answer compares as texts.
  "mesh:requestmethod",
  "mesh:requestpath",
  "mesh:requesthost",
  "mesh:grpcservice",
  "mesh:grpcmethod",
  "mesh:destinationservicearn",
  // By the clock: a cached answer ends before any of them could change it (KEY-5).
  "aws:currenttime",
  "aws:epochtime",
  "aws:multifactorauthage",
  // By the caller's identity.
  "aws:principalarn",
  "aws:principalaccount",
  "aws:principalorgid",
  "aws:principalorgpaths",
  "aws:principaltype",
  "aws:userid",
  "aws:username",
  "aws:principalisawsservice",
  "aws:tokenissuetime",
  "aws:multifactorauthpresent",
  "aws:federatedprovider",
  "aws:sourceidentity",
  "mesh:tokentype",
  // By the service.
  "aws:resourceaccount",
  "aws:resourceorgid",
  "aws:resourceorgpaths",
]);

/** True unless the key is known to be fixed: an unknown key is compared, which is never wrong. */
function isVarying(key: string, own: "header" | "query" | "path" | undefined): boolean {
  if (own !== undefined) return own === "header";
  if (fixed.has(key)) return false;
  return !key.startsWith("aws:principaltag/") && !key.startsWith("mesh:requestquerystring/");
}
