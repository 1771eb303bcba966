import {
  allow,
  type Document,
  organization,
  policy,
  route,
  service,
  user,
} from "../fakes/documents.ts";
import type { HttpRequest } from "../fakes/http-client.ts";
import { bearerOf } from "./answers.ts";

/*
 * Documents that change: two doors, of which a user may open one. Each version differs from the next in
 * one thing.
 */

export const red = { action: "doors:OpenRed", target: "/red" };
export const blue = { action: "doors:OpenBlue", target: "/blue" };
export type Door = typeof red;

export interface World {
  /** The door that is open; the other is shut. */
  readonly open?: Door;
  readonly users?: readonly string[];
  readonly routes?: readonly string[];
  readonly shadow?: boolean;
}

/** Returns the documents of a world; `jwks` is the key set of its provider. */
export function world(jwks: string, change: World = {}): readonly Document[] {
  const { open = red, users = ["ana"], ...more } = change;
  const routes = [
    route("GET /red", "OpenRed", "red"),
    route("GET /blue", "OpenBlue", "blue"),
    ...(more.routes ?? []).map((template) => route(template, "Look", "other")),
  ];
  return [
    ...organization(jwks),
    ...users.map((name) => user(name, [allow([open.action, "doors:Look"])])),
    service("doors", routes, {
      mode: more.shadow === true ? "shadow" : "enforce",
      resourcePolicy: policy(allow("doors:Knock", { Principal: "*" })),
    }),
  ];
}

/** Returns the request of whoever holds `token` to open a door. */
export function through(target: string, token: string): HttpRequest {
  return { target, host: "doors.example.com", headers: [bearerOf(token)] };
}
