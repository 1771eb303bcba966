import { expect, test } from "vitest";
import { documentsInput } from "./documents-input.ts";

const file = { path: "a.yaml", text: "" };

test("what is left out has its default", () => {
  expect(documentsInput({ files: [file] })).toEqual({
    files: [file],
    dryRun: false,
    prune: false,
    takeOver: false,
    force: false,
    manager: "mesh-iam-apply",
    planDigest: null,
  });
});

test.each([
  { body: {}, field: "files" },
  { body: { files: [file, { path: "b" }] }, field: "files[1]" },
  { body: { files: [file, file] }, field: "files[1].path" },
  { body: { files: [], dryRun: "no" }, field: "dryRun" },
  { body: { files: [], prune: 1 }, field: "prune" },
  { body: { files: [], takeOver: "yes" }, field: "takeOver" },
  { body: { files: [], fieldManager: "A b" }, field: "fieldManager" },
  { body: { files: [], planDigest: 1 }, field: "planDigest" },
  { body: { files: [], force: "yes" }, field: "force" },
  { body: { files: [], forced: true }, field: "forced" },
])("$body is refused at $field", ({ body, field }) => {
  expect(documentsInput(body)).toMatchObject({ ok: false, code: "ValidationError", field });
});
