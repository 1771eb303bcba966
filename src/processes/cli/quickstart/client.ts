import { request as httpRequest } from "node:http";
import { connect } from "node:http2";
import { request as httpsRequest } from "node:https";
import type { CertificatePair } from "../../../adapters/keys/certificate-authority.ts";

/** One request of the table, as a caller writes it. */
export interface SampleRequest {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The client certificate, null for the clear-text listener. */
  readonly certificate: CertificatePair | null;
  readonly grpc: boolean;
  /** Default: none, of gRPC one empty message. */
  readonly body?: string;
}

export interface SampleResponse {
  /** HTTP status; of a gRPC call 200 unless the transport failed. */
  readonly status: number;
  /** `grpc-status` of a gRPC call, else null. */
  readonly grpcStatus: number | null;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Where the proxy listens, and the authority its certificate comes from. */
export interface ProxyAddress {
  readonly httpPort: number;
  readonly tlsPort: number;
  readonly serverCa: string;
}

/** Returns the proxy's answer. Throws on a broken connection: the caller says which row it was. */
export function send(proxy: ProxyAddress, sample: SampleRequest): Promise<SampleResponse> {
  return sample.grpc ? callGrpc(proxy, sample) : callHttp(proxy, sample);
}

function callHttp(proxy: ProxyAddress, sample: SampleRequest): Promise<SampleResponse> {
  const common = {
    host: "127.0.0.1",
    method: sample.method,
    path: sample.path,
    headers: { host: sample.host, ...sample.headers },
    agent: false,
  } as const;
  return new Promise((resolve, reject) => {
    const request =
      sample.certificate === null
        ? httpRequest({ ...common, port: proxy.httpPort })
        : httpsRequest({
            ...common,
            port: proxy.tlsPort,
            ca: proxy.serverCa,
            cert: sample.certificate.certificate,
            key: sample.certificate.privateKey,
            servername: "localhost",
          });
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          grpcStatus: null,
          headers: response.headers,
          body: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    request.end(sample.body);
  });
}

function callGrpc(proxy: ProxyAddress, sample: SampleRequest): Promise<SampleResponse> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${proxy.httpPort}`);
    session.on("error", reject);
    const stream = session.request({
      ":method": sample.method,
      ":path": sample.path,
      ":authority": sample.host,
      "content-type": "application/grpc",
      te: "trailers",
      ...sample.headers,
    });
    let headers: SampleResponse["headers"] = {};
    let trailers: SampleResponse["headers"] = {};
    stream.on("response", (received) => {
      headers = received as SampleResponse["headers"];
    });
    stream.on("trailers", (received) => {
      trailers = received as SampleResponse["headers"];
    });
    stream.on("error", reject);
    stream.resume();
    stream.on("close", () => {
      session.close();
      const all = { ...headers, ...trailers };
      resolve({
        status: Number(all[":status"] ?? 0),
        grpcStatus: Number(all["grpc-status"] ?? -1),
        headers: all,
        body: decodeURIComponent(String(all["grpc-message"] ?? "")),
      });
    });
    stream.end(sample.body ?? Buffer.alloc(5));
  });
}
