import { expect, test } from "vitest";
import { attacks } from "../../../test/corpus/attack/path/attack-rows.ts";
import { routeOf, serviceOf } from "../../../test/fakes/service-of.ts";
import { attributesOf, type WrittenRequest } from "./attributes-of.ts";
import { isDenied } from "./denied.ts";
import { resolve } from "./resolve.ts";
import { createRouteMap } from "./route-map.ts";

/**
 * The attack corpus on request targets, in unit form: `/public` is open to everybody, `/admin` is what
 * an attacker wants. A payload is refused, or it is asked for as what it is; never is anything of
 * `/admin` asked for as `Public`.
 */
const entry = {
  routes: createRouteMap(
    serviceOf({
      routes: [
        routeOf("GET /public", { action: "Public", resource: "public" }),
        routeOf("GET /public/{path=**}", { action: "Public", resource: "public/{path}" }),
        routeOf("GET /admin", { action: "Admin", resource: "admin" }),
        routeOf("GET /admin/{path=**}", { action: "Admin", resource: "admin/{path}" }),
        routeOf("pkg.Svc/Method", { action: "Call" }),
      ],
    }),
    "aws",
    "",
  ),
};

function ask(request: WrittenRequest): string {
  const result = resolve(entry, attributesOf(request));
  if (isDenied(result)) return `${result.reason} ${result.detail}`;
  return `${result.action} ${result.resource.resource}`;
}

test.each(attacks)("%s: %j", (_id, request, want) => {
  expect(ask(request)).toBe(want);
  expect(ask({ ...request, encoding: "header_map" })).toBe(want);
});

test.each([["T-KEY-02", ["/a/../b", "/a//b", "/a%2fb", "/a\\b", "/a;x/b", "/%2e%2e/b", "a/b"]]])(
  "%s: refused before evaluation",
  (_id, paths) => {
    for (const path of paths) expect(ask({ path })).toMatch(/^ambiguous-path /);
  },
);
