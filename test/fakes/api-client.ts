import { request } from "node:http";

/** What the API answered. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  // biome-ignore lint/suspicious/noExplicitAny: what an operation answers is its own
  readonly body: any;
}

/** Where the API is: `host:port`, or the path of a socket. */
export interface ApiPlace {
  readonly address?: string;
  readonly socketPath?: string;
}

/** Posts `body` as curl does: JSON, or the very text. */
export async function post(
  { address = "localhost:80", socketPath }: ApiPlace,
  path: string,
  body: object | string,
  headers: Readonly<Record<string, string | string[]>> = {},
  method = "POST",
): Promise<ApiAnswer> {
  const [host, port] = address.split(":");
  return await new Promise((resolve, reject) => {
    const outgoing = request(
      {
        ...(socketPath === undefined ? { host, port } : { socketPath }),
        path,
        method,
        headers: { "content-type": "application/json", ...headers },
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          const { statusCode = 0, headers: received } = response;
          const isJson = received["content-type"] === "application/json";
          const body: unknown = isJson ? JSON.parse(text) : text;
          resolve({ status: statusCode, headers: received, body });
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(typeof body === "string" ? body : JSON.stringify(body));
  });
}
