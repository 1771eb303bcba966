import { expect, test } from "vitest";
import { mayBeRepeated } from "./attributes.ts";
import { attributesOf, attributesOfConnection } from "./attributes-of.ts";

test("what is left out is as a plain request has it", () => {
  expect(attributesOf()).toMatchObject({
    hasRequest: true,
    method: "GET",
    target: "/",
    rawPath: "/",
    rawPathCount: 1,
    rawHeaders: false,
    host: "localhost",
    requestTimeMs: null,
    sourcePrincipal: "",
    sourceAddress: "127.0.0.1",
    destinationPort: null,
    hasPeerCertificate: false,
    identityHeaderNames: [],
  });
});

test("CONNECT has an empty target", () => {
  expect(attributesOf({ method: "CONNECT" })).toMatchObject({ target: "", rawPath: "" });
});

test.each([
  ["joined", "headers", { value: "a,b", count: 1 }],
  ["raw", "header_map", { value: "a,b", count: 2 }],
] as const)("a repeated header, %s", (_why, encoding, want) => {
  for (const headers of [{ "X-A": ["a", "b"] }, { "X-A": "a", "x-a": "b" }]) {
    const attributes = attributesOf({ headers, encoding });
    expect(attributes.rawHeaders).toBe(encoding === "header_map");
    expect(attributes.header("x-a")).toEqual(want);
    expect(mayBeRepeated(attributes, want)).toBe(true);
    expect(attributes.header("X-A")).toBeUndefined();
  }
});

test("headers that are members of every object are headers like others, and absent ones absent", () => {
  const headers = JSON.parse('{"__proto__": "1"}');
  expect(attributesOf({ headers }).header("__proto__")).toEqual({ value: "1", count: 1 });
  expect(attributesOf().header("__proto__")).toBeUndefined();
  expect(attributesOf().contextExtension("constructor")).toBeUndefined();
  expect(attributesOf({ headers: { "x-a": [] } }).header("x-a")).toBeUndefined();
});

test("a listener may withhold the path, and a broken peer send two", () => {
  expect(attributesOf({ path: "/a", rawPaths: [] })).toMatchObject({
    rawPath: null,
    rawPathCount: 0,
  });
  expect(attributesOf({ path: "/a", rawPaths: ["/b", "/c"] })).toMatchObject({
    rawPath: "/c",
    rawPathCount: 2,
  });
});

test("names of the identity family are listed as received", () => {
  const headers = { "X-Mesh-IAM-Principal": "a", x_mesh_iam_new: "b", "x-other": "c" };
  expect(attributesOf({ headers }).identityHeaderNames).toEqual([
    "X-Mesh-IAM-Principal",
    "x_mesh_iam_new",
  ]);
});

test("a connection has no request", () => {
  const attributes = attributesOfConnection({
    sourceAddress: null,
    destinationLabels: { app: "db" },
  });
  expect(attributes).toMatchObject({
    hasRequest: false,
    method: "",
    target: "",
    rawPath: null,
    host: "",
  });
  expect(attributes.sourceAddress).toBeNull();
  expect([...attributes.destinationLabels]).toEqual([["app", "db"]]);
  expect(attributes.header("authorization")).toBeUndefined();
});
