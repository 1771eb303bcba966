import { get } from "node:http";

/** Resolves with the body of an HTTP page. */
export function readPage(url: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  get(url, { agent: false }, (response) => {
    let body = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      body += chunk;
    });
    response.once("end", () => resolve(body));
  }).once("error", reject);
  return promise;
}
