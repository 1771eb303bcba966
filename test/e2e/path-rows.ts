import type { WrittenRequest } from "../../src/domain/request/attributes-of.ts";
import { attacks } from "../corpus/attack/path/attack-rows.ts";
import {
  accepted,
  type Options,
  queries,
  rejected,
  requests,
} from "../corpus/attack/path/canonical-rows.ts";
import { allow, type Document, deny, policy, route, service, shop } from "../fakes/documents.ts";
import type { HttpRequest } from "../fakes/http-client.ts";

/*
 * The rows about request targets, made ready to be sent through Envoy: each set of options is a service
 * of its own, told apart by its host. Everything is allowed to everybody, so that a row that does not
 * reach the application was refused for its target and for nothing else.
 */

/** What the authorizer makes of a target that reaches it as it was sent. */
export type Reading =
  | { readonly type: "resource"; readonly resource: string }
  | { readonly type: "refused"; readonly reason: string; readonly detail: string };

export interface PathRow {
  readonly id: string;
  /** The target, fit to be printed. */
  readonly shown: string;
  readonly request: HttpRequest;
  readonly options: Options;
  readonly want: Reading;
}

// No client of Envoy can send them: they differ in what a broken or forged peer writes into a Check.
const forgedChecks: ReadonlySet<number> = new Set([122, 123, 124, 125, 126]);

const resource = (path: string): Reading => ({ type: "resource", resource: `path${path}` });
const rpc: Reading = { type: "resource", resource: "rpc" };
const refused = (reason: string, detail: string): Reading => ({ type: "refused", reason, detail });

/** Every set of options of the table, each once. */
const optionSets: readonly Options[] = [
  ...new Map(
    [{}, ...[...accepted, ...rejected, ...requests].map((row): Options => row[2])].map(
      (options): [string, Options] => [JSON.stringify(options), options],
    ),
  ).values(),
];

/** Every row of envoy-ext-authz 4.7 that a client can send. */
export const canonicalRows: readonly PathRow[] = [
  ...accepted.map(([n, path, options, text]) => rowOf(n, { path }, options, resource(text))),
  ...rejected.map(([n, path, options, detail]) =>
    rowOf(n, { path }, options, refused("ambiguous-path", detail)),
  ),
  ...queries.map(([n, path]) => rowOf(n, { path }, {}, resource(path.slice(0, path.indexOf("?"))))),
  ...requests
    .filter(([n]) => !forgedChecks.has(n))
    .map(([n, request, options, want]) => rowOf(n, request, options, readingOf(n, want))),
];

/** The reading that a row's object tells. */
function readingOf(n: number, want: object): Reading {
  const { type, reason, detail, path, method } = want as Readonly<Record<string, string>>;
  // The mapper knows no such method, and no route leads to CONNECT.
  if (method === "get") return refused("route-not-found", "no-route");
  if (type === "connect") return refused("route-not-found", "service-host");
  if (type === "denied") return refused(reason ?? "", detail ?? "");
  // The path of an RPC is that RPC, whatever its content type (envoy-ext-authz 4.4).
  return type === "grpc" || n === 116 ? rpc : resource(path ?? "");
}

function rowOf(n: number, request: WrittenRequest, options: Options, want: Reading): PathRow {
  const host = request.host ?? hostOf(options);
  const id = `4.7 row ${n}`;
  return { id, shown: shownOf(request), request: sendable(request, host), options, want };
}

function shownOf({ method = "GET", path = "" }: WrittenRequest): string {
  return `${method} ${JSON.stringify(path).slice(1, -1).slice(0, 40)}`;
}

/** Returns the bytes that a client sends for a request as a Check would show it. */
function sendable({ method, path, headers }: WrittenRequest, host: string): HttpRequest {
  const target = path ?? (method === "CONNECT" ? host : "/");
  return {
    ...(method === undefined ? {} : { method }),
    target: Buffer.from(target, "latin1"),
    host,
    headers: Object.entries(headers ?? {}).flatMap(([name, values]) =>
      [values].flat().map((value) => [name, value] as const),
    ),
  };
}

function nameOf(options: Options): string {
  const text = JSON.stringify(options);
  return `s${optionSets.findIndex((each) => JSON.stringify(each) === text)}`;
}

function hostOf(options: Options): string {
  return `${nameOf(options)}.example.com`;
}

/** The service that reads targets by `options`: one resource a path, one for its RPCs. */
function serviceFor(options: Options): Document {
  const rpcs = [route("pkg.Svc/Get", "Call", "rpc"), route("Greeter/SayHello", "Greet", "rpc")];
  const paths = [
    route("GET /{path=**}", "Read", "path/{path}"),
    route("POST /{path=**}", "Write", "path/{path}"),
    route("DELETE /{path=**}", "Remove", "path/{path}"),
  ];
  return service(nameOf(options), options.protocol === "grpc" ? rpcs : [...rpcs, ...paths], {
    request: options,
    resourcePolicy: policy(allow("*", { Principal: "*" })),
  });
}

const attackedHost = "attacked.example.com";

/** `/public` and the RPC are open to everybody; everything of `/admin` is denied. */
const attacked = service(
  "attacked",
  [
    route("GET /public", "Public", "public"),
    route("GET /public/{path=**}", "Public", "public/{path}"),
    route("GET /admin", "Admin", "admin"),
    route("GET /admin/{path=**}", "Admin", "admin/{path}"),
    route("pkg.Svc/Method", "Call", "rpc"),
  ],
  {
    resourcePolicy: policy(
      allow(["attacked:Public", "attacked:Call"], { Principal: "*" }),
      deny("attacked:Admin", { Principal: "*" }),
    ),
  },
);

/** The attack corpus; rows about hosts are the business of another suite. */
export const attackRows: readonly PathRow[] = attacks
  .filter(([, { host }]) => host === undefined)
  .map(([id, request, want]) => {
    const [first = "", second = ""] = want.split(" ");
    return {
      id,
      shown: shownOf(request),
      request: sendable(request, attackedHost),
      options: {},
      want:
        first.startsWith("attacked:") || first.startsWith("orders:")
          ? { type: "resource", resource: second }
          : refused(first, second),
    };
  });

export const pathDocuments: readonly Document[] = [...optionSets.map(serviceFor), attacked];

/** Returns the resource part of an ARN of the shop, `` for none. */
export function resourcePart(arn: string | null): string {
  return arn?.split(`:${shop}:`)[1] ?? "";
}

/** Returns the resource that the application of `row` takes a target for that it was given. */
export function upstreamResource(row: PathRow, target: string): string {
  if (rpcPaths.has(target)) return "rpc";
  const path = upstreamReading(target, row.options);
  return row.request.host === attackedHost ? path.slice(1) : `path${path}`;
}

const rpcPaths: ReadonlySet<string> = new Set([
  "/pkg.Svc/Get",
  "/Greeter/SayHello",
  "/pkg.Svc/Method",
]);

/**
 * Returns what an application that behaves as `options` say reads of a target that it got: written apart
 * from the canonicaliser, for targets that were allowed, so without its refusals.
 */
function upstreamReading(target: string, options: Options): string {
  let path = target.split("?")[0] ?? "";
  if (options.encodedSlash === "separator") path = path.replace(/%2f/gi, "/");
  const segments = path
    .split("/")
    .slice(1)
    .filter((part, i, all) => part !== "" || !options.mergeSlashes || i === all.length - 1)
    .map((part) => (options.parameters === "strip" ? (part.split(";")[0] ?? "") : part))
    .map((part) => part.replace(/%2F/gi, "%252F"))
    .map(decodeURIComponent);
  let text = `/${segments.join("/")}`;
  if (options.trailingSlash === "ignore" && text !== "/") text = text.replace(/\/$/, "");
  if (options.caseInsensitive) text = text.toLowerCase();
  return text;
}

/**
 * Returns what the most obliging application could make of a target: everything decoded until nothing
 * is left to decode, backslashes turned, parameters cut, dots resolved, slashes merged, case ignored.
 */
export function sloppyReading(target: string): string {
  let path = target.split("?")[0] ?? "";
  for (let before = ""; before !== path; ) {
    before = path;
    path = path.replace(/%([0-9a-f]{2})/gi, (_, hex) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
  const open: string[] = [];
  for (const part of path.replaceAll("\\", "/").toLowerCase().split("/")) {
    const name = part.split(";")[0]?.trim() ?? "";
    if (name === "..") open.pop();
    else if (name !== "" && name !== ".") open.push(name);
  }
  return `/${open.join("/")}`;
}
