import { lookup as dnsLookup, type LookupAddress } from "node:dns";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { type Parsed, quote } from "../../iam/problem.ts";
import { classifyAddress } from "./address-policy.ts";

/** Returns the text behind a URL, or why it is refused; never throws. */
export type FetchText = (url: string) => Promise<Parsed<string>>;

export interface FetchTextOptions {
  /** Whole fetch, from the name's resolution to the last byte. Default of the authorizer 5,000. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** Private and loopback addresses too, and `http:` on loopback. Link-local never. */
  readonly allowPrivateHosts: boolean;
  /** Authorities trusted instead of Node's, PEM; null: Node's. */
  readonly authorities: string | null;
}

/**
 * Returns the function that fetches key sets: GET, status 200, a JSON content type, no redirect, no
 * content coding, at most `maxBytes`, within `timeoutMs`, over TLS 1.2 or later with a verified
 * certificate.
 *
 * Addresses are checked when connecting, those that a name resolves to as well, so a name cannot point
 * at the metadata service, nor do so the second time it is asked (JWT-249). Connections are not kept.
 * Refusals: `url`, `address`, `timeout`, `network`, `redirect`, `status`, `content-type`,
 * `content-coding`, `too-large`, `utf-8`. No message repeats what the server sent.
 */
export function createFetchText(options: FetchTextOptions): FetchText {
  return (url) => {
    const target = URL.parse(url);
    if (target === null || target.username !== "" || target.password !== "") {
      // What is no URL may hold a password all the same: nothing of it is repeated.
      return Promise.resolve(refuse("url", "expected a URL without credentials"));
    }
    if (target.protocol !== "https:" && target.protocol !== "http:") {
      return Promise.resolve(refuse("url", `expected \`https:\`, got ${quote(target.protocol)}`));
    }
    return fetchText(target, options);
  };
}

function fetchText(target: URL, options: FetchTextOptions): Promise<Parsed<string>> {
  const isPlain = target.protocol === "http:";
  const admits = (address: string): boolean => {
    const kind = classifyAddress(address);
    if (!options.allowPrivateHosts) return kind === "public" && !isPlain;
    return isPlain ? kind === "loopback" : kind !== "never";
  };
  const host = target.hostname.replace(/^\[(.*)\]$/, "$1");
  // Node resolves names only: an address in the URL never meets `lookup`.
  if (isIP(host) !== 0 && !admits(host)) return Promise.resolve(refuseAddress(host));

  return new Promise((resolve) => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      finish(refuse("timeout", `expected an answer within ${options.timeoutMs} ms`));
    }, options.timeoutMs);
    const finish = (result: Parsed<string>): void => {
      clearTimeout(timer);
      resolve(result);
      abort.abort();
    };
    const settings: RequestOptions = {
      method: "GET",
      headers: { accept: "application/json", "accept-encoding": "identity" },
      agent: false,
      lookup: checkedLookup(admits),
      signal: abort.signal,
      rejectUnauthorized: true,
      minVersion: "TLSv1.2",
      ...(options.authorities === null ? {} : { ca: options.authorities }),
    };
    const request = (isPlain ? httpRequest : httpsRequest)(target, settings, (response) => {
      const refusal = judgeHead(response, options.maxBytes);
      if (refusal !== null) finish(refusal);
      else readBody(response, options.maxBytes, finish);
    });
    request.on("error", (error: NodeJS.ErrnoException) => {
      // Errors after the end are those of the abort.
      finish(
        error instanceof RefusedAddress
          ? refuseAddress(error.address)
          : refuse("network", `cannot fetch: ${quote(error.code ?? error.message)}`),
      );
    });
    request.end();
  });
}

function judgeHead(response: IncomingMessage, maxBytes: number): Parsed<string> | null {
  const status = response.statusCode ?? 0;
  if (status >= 300 && status < 400)
    return refuse("redirect", `expected no redirect, got ${status}`);
  if (status !== 200) return refuse("status", `expected status 200, got ${status}`);
  if (!isJsonType(response.headers["content-type"] ?? "")) {
    return refuse("content-type", "expected a JSON content type");
  }
  const coding = response.headers["content-encoding"] ?? "identity";
  if (coding !== "identity") return refuse("content-coding", "expected no content coding");
  if (Number(response.headers["content-length"] ?? 0) > maxBytes) return tooLarge(maxBytes);
  return null;
}

function readBody(
  response: IncomingMessage,
  maxBytes: number,
  finish: (result: Parsed<string>) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) finish(tooLarge(maxBytes));
    else chunks.push(chunk);
  });
  response.on("error", (error: NodeJS.ErrnoException) => {
    finish(refuse("network", `the answer broke off: ${quote(error.code ?? error.message)}`));
  });
  response.on("end", () => {
    try {
      const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
      finish({ ok: true, value: decoder.decode(Buffer.concat(chunks)) });
    } catch {
      // The decoder's only fault: bytes that are no UTF-8.
      finish(refuse("utf-8", "expected UTF-8"));
    }
  });
}

/** `application/json` or `application/<something>+json`, with or without parameters. */
function isJsonType(contentType: string): boolean {
  return /^application\/(?:[a-z0-9.-]+\+)?json\s*(?:;|$)/i.test(contentType);
}

class RefusedAddress extends Error {
  readonly address: string;

  constructor(address: string) {
    super("refused address");
    this.address = address;
  }
}

/** Resolves a name to the addresses to connect to, and refuses it if one of them is not admitted. */
function checkedLookup(admits: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    dnsLookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error !== null) return callback(error, "");
      const refused = addresses.find(({ address }) => !admits(address));
      if (refused !== undefined) return callback(new RefusedAddress(refused.address), "");
      const [first] = addresses;
      if (options.all === true || first === undefined) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}

function refuse(code: string, message: string): Parsed<string> {
  return { ok: false, code, message };
}

function refuseAddress(address: string): Parsed<string> {
  return refuse("address", `expected an address that may be fetched from, got ${quote(address)}`);
}

function tooLarge(maxBytes: number): Parsed<string> {
  return refuse("too-large", `expected at most ${maxBytes} bytes`);
}
