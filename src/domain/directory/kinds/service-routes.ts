import type { Route } from "../../request/service-definition.ts";
import { listOf } from "../shape/collections.ts";
import { record } from "../shape/record.ts";
import { placed, text, word } from "../shape/scalars.ts";
import { optional, required, type ValueOf } from "../shape/shape.ts";
import { tags } from "../shape/tags.ts";
import { unlessEmptyMap } from "./written-value.ts";

export const authType = word("AWS_IAM", "NONE");

const route = record(
  {
    http: optional(
      text(
        "a method and a template like `GET /v1/orders/{orderId}`",
        /^[^\s/]+ \/[^\p{Cc}]*$/u,
        4200,
      ),
      null,
      "Method and path template. `{name}` is one segment, `{name=**}` the rest. Literals beat variables, variables beat the rest; HEAD follows GET unless declared.",
    ),
    grpc: optional(
      text(
        "an RPC like `shop.orders.v1.Orders/Cancel`",
        /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\/[A-Za-z_]\w*$/,
        1024,
      ),
      null,
      "Service and method of an RPC.",
    ),
    action: required(
      text(
        "an action like `GetOrder`, without the service's prefix",
        /^[A-Za-z][A-Za-z0-9_-]*$/,
        128,
      ),
      "The action, without the service's prefix.",
    ),
    resource: required(
      text("a resource like `order/{orderId}`", /^[^\p{Cc}]+$/u, 2048),
      "The last field of the resource's ARN. Its variables are those of the template; it holds no `*`, `?` or `${`.",
    ),
    accessLevel: optional(
      word("List", "Read", "Write", "Permissions management", "Tagging"),
      "Write",
      "The action's access level, as in AWS's service authorization reference.",
    ),
    authType: optional(
      placed(authType),
      null,
      "`NONE`: this route is exempt, for probes and scrapes. Absent: the service's.",
    ),
    tags: optional(
      tags,
      new Map<string, string>(),
      "Tags of the route's resources, over the service's. `risk: high` marks routes for the stricter bound on stale bundles.",
    ),
  },
  { exactlyOne: ["http", "grpc"] },
);

export const routes = listOf(placed(route), { max: 10_000 });

/** Returns the route that a document's member says. */
export function routeOf(spec: ValueOf<typeof route.members>): Route {
  const { http, grpc, action, resource, accessLevel, tags: routeTags } = spec;
  const [left = "", right = ""] = splitOnce(http ?? grpc ?? "", http === null ? "/" : " ");
  return {
    match:
      http === null
        ? { type: "grpc", service: left, method: right }
        : { type: "http", method: left, template: right },
    action,
    resource,
    accessLevel,
    authType: spec.authType?.value ?? null,
    tags: routeTags,
  };
}

function splitOnce(value: string, separator: string): readonly string[] {
  const at = value.indexOf(separator);
  return [value.slice(0, at), value.slice(at + 1)];
}

/** Returns a route as it is written. */
export function writeRoute(route: Route): Readonly<Record<string, unknown>> {
  const { match, action, resource, accessLevel, tags: routeTags } = route;
  return {
    http: match.type === "http" ? `${match.method} ${match.template}` : undefined,
    grpc: match.type === "grpc" ? `${match.service}/${match.method}` : undefined,
    action,
    resource,
    accessLevel,
    authType: route.authType ?? undefined,
    tags: unlessEmptyMap(routeTags),
  };
}
