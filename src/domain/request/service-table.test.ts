import { expect, test } from "vitest";
import { serviceOf } from "../../../test/fakes/service-of.ts";
import { attributesOf, attributesOfConnection } from "./attributes-of.ts";
import { createServiceTable, selectService } from "./service-table.ts";

function entry(name: string, hosts: readonly string[], account = "111122223333") {
  return { definition: serviceOf({ name, hosts, account }), label: `${account}/${name}` };
}

const orders = entry("orders", ["orders.example.com", "Orders.Shop.svc.:8080"]);
const stock = entry("stock", ["stock.example.com", "shared.example.com"]);
const stockOfOther = entry("stock", ["shared.example.com", "not a host"], "444455556666");
const one = createServiceTable([orders]);
const three = createServiceTable([orders, stock, stockOfOther]);

const refuse = (reason: string, detail: string) => ({ type: "denied", reason, detail });

test.each([
  ["the only one, whatever the Host", one, { host: "nobody.example.com" }, orders],
  [
    "PATH-110.2: the only one for the Host of another service",
    one,
    { host: "stock.example.com" },
    orders,
  ],
  ["the only one for a Host that is none", one, { host: "a,b" }, orders],
  ["by its host", three, { host: "stock.example.com" }, stock],
  ["PATH-100: by its host with a port", three, { host: "orders.example.com:80" }, orders],
  [
    "PATH-101: by its host in upper case with a trailing dot",
    three,
    { host: "STOCK.example.com." },
    stock,
  ],
  ["by a host that was declared in another spelling", three, { host: "orders.shop.svc" }, orders],
  ["T-KEY-27: by its host among several", three, { host: "orders.example.com" }, orders],
  [
    "by the name in the context extensions, whatever the Host",
    three,
    { host: "stock.example.com", contextExtensions: { "mesh-iam-service": "orders" } },
    orders,
  ],
  [
    "by name and account where two share a name",
    three,
    { contextExtensions: { "mesh-iam-service": "stock", "mesh-iam-account": "444455556666" } },
    stockOfOther,
  ],
  [
    "the account alone picks nothing",
    one,
    { contextExtensions: { "mesh-iam-account": "9" } },
    orders,
  ],
])("the service is chosen: %s", (_why, table, request, want) => {
  expect(selectService<typeof orders>(table, attributesOf(request))).toBe(want);
});

test.each([
  [
    "PATH-110.1: an unknown Host",
    three,
    { host: "nobody.example.com" },
    refuse("route-not-found", "service-host"),
  ],
  [
    "a Host that two services claim",
    three,
    { host: "shared.example.com" },
    refuse("route-not-found", "service-host"),
  ],
  [
    "PATH-103: two Hosts",
    three,
    { host: "orders.example.com,stock.example.com" },
    refuse("ambiguous-host", "bad-host"),
  ],
  ["no Host", three, { host: "" }, refuse("ambiguous-host", "bad-host")],
  [
    "PATH-104: X-Forwarded-Host is never read",
    three,
    { host: "nobody", headers: { "x-forwarded-host": "stock.example.com" } },
    refuse("route-not-found", "service-host"),
  ],
  [
    "a name that is not fronted, even at the only one",
    one,
    { contextExtensions: { "mesh-iam-service": "stock" } },
    refuse("route-not-found", "service-name"),
  ],
  [
    "an empty name",
    one,
    { contextExtensions: { "mesh-iam-service": "" } },
    refuse("route-not-found", "service-name"),
  ],
  [
    "one name in two accounts without the account",
    three,
    { contextExtensions: { "mesh-iam-service": "stock" } },
    refuse("route-not-found", "service-name"),
  ],
  [
    "the account of another",
    three,
    { contextExtensions: { "mesh-iam-service": "orders", "mesh-iam-account": "444455556666" } },
    refuse("route-not-found", "service-name"),
  ],
  [
    "no service at all",
    createServiceTable<typeof orders>([]),
    {},
    refuse("route-not-found", "no-service"),
  ],
])("no service is chosen: %s", (_why, table, request, want) => {
  expect(selectService<typeof orders>(table, attributesOf(request))).toEqual(want);
});

test("a connection without a request goes to the only service or the named one, never by Host", () => {
  const named = { contextExtensions: { "mesh-iam-service": "orders" } };
  expect(selectService(one, attributesOfConnection())).toBe(orders);
  expect(selectService(three, attributesOfConnection(named))).toBe(orders);
  expect(selectService(three, attributesOfConnection())).toEqual(
    refuse("route-not-found", "service-host"),
  );
});

test.each([
  ["a Host that no readable service has", { host: "stock.example.com" }],
  ["a name that no readable service has", { contextExtensions: { "mesh-iam-service": "stock" } }],
])("BUN-5 beside a poisoned service nothing is the only one: %s", (_why, request) => {
  const left = createServiceTable([orders], false);
  const none = createServiceTable<typeof orders>([], false);
  const lost = refuse("evaluation-error", "service-poisoned");
  expect(selectService(left, attributesOf(request))).toEqual(lost);
  expect(selectService(none, attributesOf(request))).toEqual(lost);
  expect(selectService(left, attributesOfConnection())).toEqual(lost);
  expect(selectService(left, attributesOf({ host: "orders.example.com" }))).toBe(orders);
  expect(selectService(left, attributesOf({ host: "a,b" }))).toEqual(
    refuse("ambiguous-host", "bad-host"),
  );
});

test("hosts and names that are members of every object name nothing", () => {
  for (const word of ["__proto__", "constructor", "toString"]) {
    expect(selectService(three, attributesOf({ host: word }))).toMatchObject({ type: "denied" });
    const named = { contextExtensions: { "mesh-iam-service": word } };
    expect(selectService(three, attributesOf(named))).toMatchObject({ type: "denied" });
  }
});
