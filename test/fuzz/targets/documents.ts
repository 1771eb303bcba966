import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readDocuments } from "../../../src/domain/directory/documents.ts";
import { formatDocuments } from "../../../src/domain/directory/format.ts";
import { bytesOf, must, type Target, textOf } from "../target.ts";

const everyKind = join(import.meta.dirname, "../../../src/domain/directory/every-kind.yaml");

/** Documents: refused with places, or written down and read again as the same. */
export const documents: Target = {
  name: "documents",
  id: null,
  about: "a YAML file of documents",
  words: [
    "---\n",
    "kind: Role\n",
    "spec: ",
    "metadata: { name: a }",
    "\n  - ",
    "&a ",
    "*a",
    "<<: ",
    "!!set ",
    "? ",
    "| \n",
    '"',
    "{[",
    "\t",
  ],
  seeds: () => {
    const text = readFileSync(everyKind, "utf8");
    return text.split("---\n").map(bytesOf);
  },
  fuzz(data) {
    const read = readDocuments([{ path: "a.yaml", text: textOf(data) }]);
    if (!read.ok) {
      must(read.problems.length > 0, "a refusal has a problem");
      return;
    }
    const text = formatDocuments(read.value);
    const again = readDocuments([{ path: "a.yaml", text }]);
    must(again.ok && formatDocuments(again.value) === text, "documents read again are the same");
  },
};
