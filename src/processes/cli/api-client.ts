import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";

/** Where the API is, and who calls. */
export interface ApiConnection {
  /** `https://host:port`, cleartext on loopback only; null: the socket. */
  readonly server: string | null;
  readonly socket: string;
  /** A bearer token; null: none. */
  readonly token: string | null;
  /** Needed where the control plane has several organizations. */
  readonly organization: string | null;
}

export type ApiOutcome =
  | { readonly ok: true; readonly body: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly code: string; readonly message: string };

const timeoutMs = 120_000;
const maxAnswerBytes = 64 << 20;

/** Returns what the API answers to `body` at `path`; throws `control-plane-unreachable`. */
export async function callApi(
  connection: ApiConnection,
  path: string,
  body: object,
): Promise<ApiOutcome> {
  const { status, text } = await post(connection, path, JSON.stringify(body));
  const parsed = parsedAnswer(text);
  if (parsed === null) {
    throw new MeshIamError(
      "control-plane-unreachable",
      `expected an answer of a control plane at ${quote(whereOf(connection))}, got status ${status}`,
    );
  }
  if (status === 200) return { ok: true, body: parsed };
  const [detail] = Array.isArray(parsed.details) ? (parsed.details as { debug?: unknown }[]) : [];
  const debug = (detail?.debug ?? {}) as { readonly code?: unknown };
  const code = typeof debug.code === "string" ? debug.code : String(parsed.code);
  return { ok: false, code, message: String(parsed.message) };
}

function parsedAnswer(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function whereOf({ server, socket }: ApiConnection): string {
  return server ?? socket;
}

async function post(
  connection: ApiConnection,
  path: string,
  body: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const { server, socket, token, organization } = connection;
  const url = new URL(path, server ?? "http://localhost");
  checkCleartext(server, url);
  const send = url.protocol === "https:" ? requestHttps : requestHttp;
  return await new Promise((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException) => {
      const why = cause.code ?? cause.message;
      const message = `cannot reach the control plane at ${quote(whereOf(connection))}: ${why}`;
      reject(new MeshIamError("control-plane-unreachable", message, { cause }));
    };
    const outgoing = send(
      url,
      {
        ...(server === null ? { socketPath: socket } : {}),
        method: "POST",
        timeout: timeoutMs,
        headers: {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(organization === null ? {} : { "x-mesh-iam-organization": organization }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          chunks.push(chunk);
          if (bytes > maxAnswerBytes) outgoing.destroy(new Error("the answer is too large"));
        });
        response.on("error", failed);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          resolve({ status: response.statusCode ?? 0, text });
        });
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error("no answer in time")));
    outgoing.on("error", failed);
    outgoing.end(body);
  });
}

/** A token is not sent where others can read it. */
function checkCleartext(server: string | null, { protocol, hostname }: URL): void {
  if (server === null || protocol === "https:") return;
  const isLoopback = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
  if (protocol === "http:" && isLoopback) return;
  throw new MeshIamError("usage", `expected \`https://\`, or loopback, got ${quote(server)}`);
}
