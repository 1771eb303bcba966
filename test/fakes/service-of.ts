import { defaultRequestOptions, type RequestOptions } from "../../src/domain/request/options.ts";
import type { Route, ServiceDefinition } from "../../src/domain/request/service-definition.ts";

type WrittenService = Omit<Partial<ServiceDefinition>, "request" | "tags"> & {
  readonly request?: Partial<RequestOptions>;
  readonly tags?: Readonly<Record<string, string>>;
};

/** Returns a service definition with the documents' defaults for all that is left out. For tests. */
export function serviceOf(written: WrittenService): ServiceDefinition {
  const { account = "111122223333", name = "orders" } = written;
  return {
    hosts: [],
    mode: "enforce",
    authType: "AWS_IAM",
    principalFrom: ["session", "jwt", "jwt-svid", "mtls"],
    requireCredential: [],
    audiences: null,
    forwardCredential: false,
    cors: false,
    routes: [],
    contextKeys: [],
    hideHeaders: [],
    ...written,
    account,
    name,
    arn: `arn:aws:mesh-iam::${account}:service/${name}`,
    request: { ...defaultRequestOptions, ...written.request },
    tags: new Map(Object.entries(written.tags ?? {})),
  };
}

/**
 * Returns a route from its short form: `GET /v1/orders/{id}` or `shop.Orders/Cancel`. The action is
 * `Act` and the resource `thing` unless said otherwise. For tests.
 */
export function routeOf(
  match: string,
  written: Partial<Omit<Route, "match" | "tags">> & {
    tags?: Readonly<Record<string, string>>;
  } = {},
): Route {
  const blank = match.indexOf(" ");
  const slash = match.lastIndexOf("/");
  return {
    action: "Act",
    resource: "thing",
    accessLevel: "Read",
    authType: null,
    ...written,
    match:
      blank > 0
        ? { type: "http", method: match.slice(0, blank), template: match.slice(blank + 1) }
        : { type: "grpc", service: match.slice(0, slash), method: match.slice(slash + 1) },
    tags: new Map(Object.entries(written.tags ?? {})),
  };
}
