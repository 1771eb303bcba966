import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { StoreUnavailable } from "../../../adapters/store/unavailable.ts";
import type { Log } from "../../../adapters/telemetry/log.ts";
import type { Operation } from "../../../domain/directory/operations/operation.ts";
import { MeshIamError } from "../../../iam/error.ts";
import { quote } from "../../../iam/problem.ts";
import { type CallRefusal, type CallResult, refusal } from "../call-result.ts";
import { type CallOrigin, callerKey, type ProvenCaller } from "../caller.ts";
import type { LiveOrganization } from "../live-organization.ts";
import { errorAnswer, type HttpAnswer, successAnswer } from "./connect-answer.ts";
import { documentsInput } from "./documents-input.ts";
import { readJsonObject } from "./json-body.ts";
import { rpcRoutes } from "./rpc-routes.ts";
import type { TokenBuckets } from "./token-buckets.ts";

export type ApiRequest = IncomingMessage | Http2ServerRequest;
export type ApiResponse = ServerResponse | Http2ServerResponse;

/** Which organization a call is for, and who makes it, as its transport proves it. */
export interface Admission {
  readonly organization: LiveOrganization;
  readonly caller: ProvenCaller;
  readonly origin: CallOrigin;
}

/** Says who calls, or why nobody does (API-8: before anything is read of the body). */
export type Admit = (request: ApiRequest, requestId: string) => Promise<Admission | CallRefusal>;

export interface ApiHandlerParts {
  readonly admit: Admit;
  readonly buckets: TokenBuckets;
  readonly log: Log;
  readonly maxBodyBytes: number;
  readonly maxDocumentsBytes: number;
}

const documentsPath = "/meshiam.admin.v1.DocumentService/ApplyDocuments";

/** Returns the handler of every call of one listener. It answers always and never throws. */
export function createApiHandler(parts: ApiHandlerParts) {
  return async (request: ApiRequest, response: ApiResponse): Promise<void> => {
    const requestId = randomUUID();
    const answer = await answerOf(request, requestId, parts).catch((reason: unknown) =>
      errorAnswer(failed(reason, parts.log)),
    );
    // What was not read of the body would hold the connection.
    if (!request.complete) request.resume();
    if (response.writableEnded || response.destroyed) return;
    const body = Buffer.from(answer.body, "utf8");
    const headers = {
      "content-type": "application/json",
      "content-length": String(body.length),
      "cache-control": "no-store",
      "x-mesh-iam-request-id": requestId,
      ...answer.headers,
    };
    // One of both kinds of response; their heads differ in type alone.
    (response as ServerResponse).writeHead(answer.status, headers);
    (response as ServerResponse).end(body);
  };
}

async function answerOf(
  request: ApiRequest,
  requestId: string,
  parts: ApiHandlerParts,
): Promise<HttpAnswer> {
  const target = request.url ?? "";
  const called = target === documentsPath ? "documents" : rpcRoutes.get(target);
  if (called === undefined) {
    return errorAnswer(refusal("InvalidAction", `no operation at ${quote(target)}`));
  }
  if (request.method !== "POST") return badRequest(405, "expected POST");
  if (!isJson(request.headers["content-type"])) {
    return badRequest(415, "expected `content-type: application/json`");
  }
  const admission = await parts.admit(request, requestId);
  if ("ok" in admission) return errorAnswer(admission);
  const { organization, caller } = admission;
  if (!parts.buckets.take(`${organization.org} ${callerKey(caller)}`)) {
    return errorAnswer(refusal("Throttling", "rate exceeded"));
  }
  const maxBytes = called === "documents" ? parts.maxDocumentsBytes : parts.maxBodyBytes;
  const body = await readBody(request, maxBytes);
  if (body === null) return badRequest(413, `expected at most ${maxBytes} bytes`);
  const parsed = readJsonObject(body, maxBytes);
  if (!parsed.ok) return errorAnswer(refusal("ValidationError", parsed.message));
  if (caller.type === "break-glass") {
    const name = called === "documents" ? "mesh-iam:ApplyDocuments" : nameOf(called);
    parts.log.warn("break-glass", "the local socket was used as root", {
      organization: organization.org,
      operation: name,
      requestId,
    });
  }
  const eventual = request.headers["x-mesh-iam-consistency"] === "eventual";
  const result = await callOf(called, admission, parsed.value, eventual);
  return result.ok ? successAnswer(result) : errorAnswer(result);
}

async function callOf(
  called: Operation | "documents",
  { organization, caller, origin }: Admission,
  body: Readonly<Record<string, unknown>>,
  eventual: boolean,
): Promise<CallResult> {
  if (called === "documents") {
    const input = documentsInput(body);
    return "ok" in input ? input : await organization.documents.apply({ caller, origin, ...input });
  }
  const own = ownMembers(body);
  if ("ok" in own) return own;
  const operation = called;
  return await organization.service.call({ caller, origin, operation, eventual, ...own });
}

function nameOf({ service, name }: Operation): string {
  return `${service}:${name}`;
}

/** Members of every request that are the API's, not the operation's (API-2). */
function ownMembers(body: Readonly<Record<string, unknown>>):
  | {
      readonly input: unknown;
      readonly clientToken: string | null;
      readonly dryRun: boolean;
      readonly force: boolean;
    }
  | CallRefusal {
  const { clientToken = null, dryRun = false, force = false, ...input } = body;
  if (
    clientToken !== null &&
    !(typeof clientToken === "string" && /^[!-~]{1,64}$/.test(clientToken))
  ) {
    const message = "expected a client token of 1 to 64 printable characters";
    return refusal("ValidationError", message, { field: "clientToken" });
  }
  if (typeof dryRun !== "boolean") {
    return refusal("ValidationError", "expected true or false", { field: "dryRun" });
  }
  if (typeof force !== "boolean") {
    return refusal("ValidationError", "expected true or false", { field: "force" });
  }
  return { input, clientToken, dryRun, force };
}

function isJson(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/json\s*(;|$)/i.test(contentType);
}

/** A request that no client of ours makes: HTTP's own status, Connect's form. */
function badRequest(status: number, message: string): HttpAnswer {
  return { ...errorAnswer(refusal("ValidationError", message)), status };
}

/** Returns the body as text; null above the bound. */
async function readBody(request: ApiRequest, maxBytes: number): Promise<string | null> {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > maxBytes) return null;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Returns what a caller learns of a failure: of the cause nothing, of an unsure outcome that it is. */
function failed(reason: unknown, log: Log): CallRefusal {
  const error = MeshIamError.from(reason);
  switch (error.code) {
    case "store-unavailable": {
      const isUnknown = reason instanceof StoreUnavailable && reason.outcome === "unknown";
      log.error("store-unavailable", "a call failed: the store is away", { err: error });
      const outcome = isUnknown ? "whether it was applied is not known" : "nothing was changed";
      return refusal("ServiceUnavailable", `the store is not available; ${outcome}`);
    }
    case "store-frozen":
      return refusal("ServiceUnavailable", "the organization is frozen: no change is accepted");
    case "store-limit":
      return refusal("LimitExceeded", error.message);
    default:
      log.error("call-failed", "a call failed", { err: error });
      return refusal("ServiceFailure", "the call failed; the log says why");
  }
}
