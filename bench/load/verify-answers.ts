import type { ClientHttp2Session } from "node:http2";
import { fromBinary } from "@bufbuild/protobuf";
import {
  type CheckResponse,
  CheckResponseSchema,
} from "../../src/gen/envoy/service/auth/v3/external_auth_pb.ts";
import { openSession, rawCall } from "../../test/fakes/grpc-client.ts";
import type { CheckCorpus } from "../corpus/check-requests.ts";

/**
 * Asks one question of each kind through a real client and reads the answers with protobuf-es: the usual
 * one is allowed with our headers, and, of a server that `decides`, the other one is denied. Throws
 * otherwise: a server that answers all alike, or with errors, looks fast (performance 4.4).
 */
export async function verifyAnswers(
  address: string,
  corpus: CheckCorpus,
  decides: boolean,
): Promise<void> {
  const session = await openSession(address);
  try {
    const allowed = await ask(session, corpus.allowed[0] as Buffer);
    const { httpResponse, status } = allowed;
    const names =
      httpResponse.case === "okResponse"
        ? httpResponse.value.headers.map(({ header }) => header?.key)
        : [];
    if (status?.code !== 0 || !names.includes("x-mesh-iam-principal")) {
      throw new Error(`${address} did not allow: ${describe(allowed)}`);
    }
    if (!decides) return;
    const denied = await ask(session, corpus.denied);
    if (denied.status?.code === 0 || denied.httpResponse.case !== "deniedResponse") {
      throw new Error(`${address} did not deny: ${describe(denied)}`);
    }
  } finally {
    session.destroy();
  }
}

/**
 * Shows every token once, at the pace that the authorizer's budget for unknown tokens asks for
 * (performance 2.1), so that a measurement begins with all of them verified.
 */
export async function introduceTokens(address: string, corpus: CheckCorpus): Promise<void> {
  const session = await openSession(address);
  try {
    for (let user = 0; user < corpus.tokens.length; ) {
      const answer = await ask(session, corpus.allowed[user] as Buffer);
      if (answer.status?.code === 0) user++;
      else if (answer.status?.code === 8 || isThrottled(answer)) await sleep(200);
      else throw new Error(`${address} refused a token: ${describe(answer)}`);
    }
  } finally {
    session.destroy();
  }
}

function isThrottled({ httpResponse }: CheckResponse): boolean {
  return httpResponse.case === "deniedResponse" && httpResponse.value.status?.code === 429;
}

async function ask(session: ClientHttp2Session, message: Buffer): Promise<CheckResponse> {
  const reply = await rawCall(session, { message });
  const [bytes] = reply.messages;
  if (reply.grpcStatus !== "0" || bytes === undefined) {
    throw new Error(`grpc-status ${reply.grpcStatus}, HTTP ${reply.httpStatus}`);
  }
  return fromBinary(CheckResponseSchema, bytes);
}

function describe({ status, httpResponse, dynamicMetadata }: CheckResponse): string {
  return JSON.stringify({ code: status?.code, form: httpResponse.case, dynamicMetadata });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
