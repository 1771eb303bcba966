import { loadConfig } from "../../src/adapters/config/load.ts";
import { createDecoder } from "../../src/adapters/envoy/decode.ts";
import { KeyCache } from "../../src/adapters/keys/key-cache.ts";
import { createKeyEnvironment } from "../../src/adapters/keys/key-environment.ts";
import { createDecisionLog } from "../../src/adapters/telemetry/decision-log.ts";
import { createLog } from "../../src/adapters/telemetry/log.ts";
import { createMetrics } from "../../src/adapters/telemetry/metrics.ts";
import { authenticate, createTokenVerifier } from "../../src/domain/credentials/authenticate.ts";
import { readBearer } from "../../src/domain/credentials/bearer.ts";
import { readDocuments } from "../../src/domain/directory/documents.ts";
import type { CheckAttributes } from "../../src/domain/request/attributes.ts";
import { type Denied, isDenied } from "../../src/domain/request/denied.ts";
import { resolve } from "../../src/domain/request/resolve.ts";
import { askedCheck } from "../../src/processes/authorizer/asked-check.ts";
import {
  cachedDecision,
  hasSameValues,
  isSameRequest,
} from "../../src/processes/authorizer/cached-decision.ts";
import { decide, questionOf } from "../../src/processes/authorizer/decide.ts";
import type { FrontedService } from "../../src/processes/authorizer/fronted-service.ts";
import { Identification } from "../../src/processes/authorizer/identify.ts";
import { keyListener } from "../../src/processes/authorizer/key-listener.ts";
import { createPipeline, type Pipeline } from "../../src/processes/authorizer/pipeline.ts";
import { RequestKeys } from "../../src/processes/authorizer/request-keys.ts";
import type { Snapshot } from "../../src/processes/authorizer/snapshot.ts";
import { type CheckCorpus, createCheckCorpus } from "../corpus/check-requests.ts";
import { organizationDocuments } from "../corpus/organization.ts";
import { createTokenSource } from "../corpus/tokens.ts";
import { rotate, type Subject } from "./subject.ts";

const users = 200;
const questions = 800;

/** Reading a message: what the other subjects here do as well, so that it can be taken off again. */
export function scanAlone(): Subject {
  const next = rotate(createCheckCorpus(createTokenSource(Date.now()), users, questions).allowed);
  const decoder = createDecoder();
  return { type: "loop", call: () => textsOf(granted(decoder.decode(next()))) };
}

/** From the bytes of the `authorization` header to a credential that is known. */
export async function tokenHit(): Promise<Subject> {
  const { pipeline, corpus, service } = await startAuthorizer();
  const next = rotate(corpus.allowed);
  const decoder = createDecoder();
  const { tokens } = pipeline;
  const nowMs = Date.now();
  return {
    type: "loop",
    call() {
      const attributes = granted(decoder.decode(next()));
      const known = authenticate(
        attributes,
        service.definition,
        tokens.issuers,
        nowMs,
        tokens.recall,
        tokens.recallHeader,
      );
      return textsOf(attributes) + granted(known).dropped.length;
    },
  };
}

/** From the same bytes to a credential that is verified. */
export async function tokenVerified(): Promise<Subject> {
  const { pipeline, corpus, service } = await startAuthorizer();
  const next = rotate(corpus.allowed);
  const decoder = createDecoder();
  const { issuers } = pipeline.tokens;
  const verify = createTokenVerifier(issuers);
  const nowMs = Date.now();
  return {
    type: "loop",
    call() {
      const attributes = granted(decoder.decode(next()));
      const verified = authenticate(attributes, service.definition, issuers, nowMs, verify);
      return textsOf(attributes) + granted(verified).dropped.length;
    },
  };
}

/** An answer found in the decision cache: every part of the question compared. */
export async function decisionHit(): Promise<Subject> {
  const world = await askAll();
  const { decisions } = world.snapshot;
  if (decisions === null) throw new Error("the decision cache is off");
  const next = rotate(world.asked);
  return {
    type: "loop",
    call() {
      const { message, caller, attested } = next();
      const attributes = granted(world.decoder.decode(message));
      const texts = textsOf(attributes);
      const asked = askedCheck(world.service, attributes, world.nowMs);
      for (const answer of decisions.answersFor(caller, attributes.target)) {
        if (!isSameRequest(answer, world.service, attributes, asked.asOfMs)) continue;
        world.keys.bind(asked, answer.request, caller.mapped, attested);
        if (hasSameValues(answer, world.keys)) return texts + answer.bytes;
      }
      throw new Error("expected an answer");
    },
  };
}

/** What such a hit replaces: canonical path, route, ARN, condition keys and evaluation. */
export async function decisionMade(): Promise<Subject> {
  const world = await askAll();
  const next = rotate(world.asked);
  return {
    type: "loop",
    call() {
      const { message, caller, attested } = next();
      const attributes = granted(world.decoder.decode(message));
      const texts = textsOf(attributes);
      const asked = askedCheck(world.service, attributes, world.nowMs);
      const request = granted(resolve(world.service, attributes));
      const { decision } = decide(request, { asked, caller, attested, keys: world.keys });
      if (decision.decision !== "allowed") throw new Error(decision.decision);
      return texts + decision.matchedStatements.length;
    },
  };
}

/** Texts that every Check makes of its message. */
function textsOf({ method, host, target }: CheckAttributes): number {
  return method.length + host.length + target.length;
}

function granted<T extends object>(value: T | Denied): T {
  if (isDenied(value)) throw new Error(`${value.reason} ${value.detail}`);
  return value as T;
}

/** Every question of the corpus, asked once and remembered. */
async function askAll() {
  const { pipeline, corpus, service, snapshot } = await startAuthorizer();
  const { tokens } = pipeline;
  const decoder = createDecoder();
  const nowMs = Date.now();
  const keys = new RequestKeys({ trustedHops: 0, region: "eu-west-1", tlsTerminating: false });
  const identification = new Identification(keys, () => tokens.issuers);
  const asked = corpus.allowed.map((message) => {
    const attributes = granted(decoder.decode(message));
    const check = askedCheck(service, attributes, nowMs);
    const authentication = granted(
      authenticate(attributes, service.definition, tokens.issuers, nowMs, tokens.verify),
    );
    const request = granted(resolve(service, attributes));
    const { caller, attested } = granted(
      identification.identify(snapshot, authentication, check, request),
    );
    const input = { asked: check, caller, attested, keys };
    const { decision } = decide(request, input);
    const reads = questionOf(request, input).reads(request.action);
    const answer = cachedDecision(
      service,
      attributes,
      request,
      reads,
      keys,
      decision,
      check.asOfMs,
    );
    if (answer === null) throw new Error("expected an answer that may be kept");
    snapshot.decisions?.store(caller, answer);
    return { message, caller, attested };
  });
  return { asked, decoder, keys, nowMs, service, snapshot };
}

interface Started {
  readonly pipeline: Pipeline;
  readonly corpus: CheckCorpus;
  readonly service: FrontedService;
  readonly snapshot: Snapshot;
}

/** All of an authorizer but its sockets and files, with every token of the corpus verified. */
async function startAuthorizer(): Promise<Started> {
  const source = createTokenSource(Date.now());
  const corpus = createCheckCorpus(source, users, questions);
  const loaded = loadConfig({
    flags: { documents: "none", region: "eu-west-1" },
    sets: ["limits.verificationShare=1"],
  });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join("; "));
  const metrics = createMetrics({
    build: { component: "authorizer", version: "0.0.0", commit: "bench" },
  });
  const discarded = {
    write: () => {},
    flush: async () => {},
    flushSync: () => {},
    droppedWrites: 0,
  };
  const log = createLog({
    writer: discarded,
    nowMs: Date.now,
    component: "authorizer",
    version: "0.0.0",
  });
  const keyCache = new KeyCache(
    createKeyEnvironment({
      listener: keyListener(metrics, log),
      timeoutMs: 1000,
      allowPrivateHosts: false,
      refreshSeconds: 300,
      unknownKeySeconds: 30,
      maxStaleSeconds: 86_400,
    }),
  );
  const pipeline = createPipeline({
    config: loaded.value,
    metrics,
    log,
    decisionLog: createDecisionLog({
      ...loaded.value.decisionLogs,
      sinks: [],
      labels: { instance: "bench", version: "0.0.0" },
      salt: new Uint8Array(16),
    }),
    keyCache,
    nowMs: Date.now,
    monotonicMs: () => performance.now(),
    random: () => 1,
    randomBytes: (count) => new Uint8Array(count),
    later: () => {},
  });
  const { keys } = JSON.parse(source.jwks);
  const text = organizationDocuments(users, { keys });
  const read = readDocuments([{ path: "organization.yaml", text }]);
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join("; "));
  await pipeline.sync.activated({
    org: read.value.org,
    slice: "default",
    epoch: 1,
    revision: 1,
    coveredRevision: 1,
    chain: "",
    manifestDigest: "0".repeat(64),
    issuedAtMs: Date.now(),
    expiresAtMs: Date.now() + 3_600_000,
    ageAtReceiptMs: 0,
    receivedAtMonotonicMs: performance.now(),
    fresh: true,
    directory: read.value,
    source: "documents",
    sizeBytes: text.length,
  });
  const { snapshot } = pipeline.sync;
  const [service] = snapshot?.services.entries ?? [];
  if (snapshot === null || service === undefined) throw new Error("no snapshot");
  const decoder = createDecoder();
  for (const message of corpus.allowed) {
    const token = readBearer(granted(decoder.decode(message)));
    if (typeof token === "string") granted(pipeline.tokens.verify(token, Date.now()));
  }
  return { pipeline, corpus, service, snapshot };
}
