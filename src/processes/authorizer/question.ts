import { mayBeFaulty } from "../../domain/request/context-keys.ts";
import type { EngineLayers } from "../../iam/compile/layers.ts";
import { readSet } from "../../iam/compile/reads.ts";
import { isClockKey } from "../../iam/condition/clock.ts";
import type { FrontedService } from "./fronted-service.ts";

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

/** The layers of some callers at one service, with what each action can read of a request. */
export class Question {
  readonly layers: EngineLayers;
  readonly #service: FrontedService;
  readonly #reads = new Map<string, Reads>();

  constructor(layers: EngineLayers, service: FrontedService) {
    this.layers = layers;
    this.#service = service;
  }

  /** Returns what `action` can read; actions come from route maps, so the memo is bounded by them. */
  reads(action: string): Reads {
    const known = this.#reads.get(action);
    if (known !== undefined) return known;
    const { definition } = this.#service;
    const keys = readSet(this.layers, action);
    const own = new Map(
      definition.contextKeys.map((key) => [key.key.toLowerCase(), key.source.type]),
    );
    const made: Reads = {
      keys,
      varying: keys.filter((key) => isVarying(key, own.get(key))),
      faultable: keys.filter(
        (key) => key.startsWith("mesh:jwtclaim/") || mayBeFaulty(key, definition),
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
