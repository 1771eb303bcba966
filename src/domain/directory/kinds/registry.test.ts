import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { A, document, refusals, wide } from "../../../../test/fakes/document-texts.ts";
import { documentKinds } from "./registry.ts";

/** What every kind of document must do, read off the registry: a new kind is held to it at once. */

interface Written {
  readonly kind: string;
  readonly spec?: Readonly<Record<string, unknown>>;
}

const text = readFileSync(new URL("../every-kind.yaml", import.meta.url), "utf8");
const documents = parseAllDocuments(text).map((one) => one.toJS() as Written);

test("every kind has its own word", () => {
  const words = documentKinds.map(({ kind }) => kind);
  expect(new Set(words.map((word) => word.toLowerCase())).size).toBe(words.length);
});

test.each(documentKinds)("$kind: the example of every kind uses each of its members", (kind) => {
  const specs = documents.filter((one) => one.kind === kind.kind).map(({ spec = {} }) => spec);
  expect(specs.length).toBeGreaterThan(0);
  const used = new Set(specs.flatMap((spec) => Object.keys(spec)));
  expect(Object.keys(kind.spec.members).filter((name) => !used.has(name))).toEqual([]);
});

test.each(documentKinds)("$kind: every member is described", ({ summary, spec }) => {
  expect(summary).toMatch(/\.$/);
  for (const { description, shape } of Object.values(spec.members)) {
    expect(description).toMatch(/\.$/);
    expect(shape.expected).not.toBe("");
  }
});

test.each(documentKinds)("$kind: an unknown member is refused", ({ kind, scope }) => {
  const make = scope === "account" ? document : wide;
  expect(refusals(make(kind, "x", "zzzzzzzz: 1"))).toContainEqual(
    `a.yaml:5:3 ${kind}/x spec: unknown member \`zzzzzzzz\``,
  );
});

test.each(documentKinds)(
  "$kind: the account stands exactly where the kind has one",
  ({ kind, scope }) => {
    const other = scope === "account" ? wide(kind, "x", "{}") : document(kind, "x", "{}");
    const want = scope === "account" ? "expected the member `account`" : "unknown member `account`";
    expect(refusals(other)).toContainEqual(expect.stringContaining(`${kind}/x metadata: ${want}`));
  },
);

test.each(documentKinds)("$kind: a spec of the wrong type is refused once", ({ kind, scope }) => {
  const metadata = scope === "account" ? `, account: "${A}"` : "";
  const lines = refusals(document(kind, "x", "- 1", metadata));
  expect(lines).toEqual([`a.yaml:5:3 ${kind}/x spec: expected a mapping, got a list`]);
});
