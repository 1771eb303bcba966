import { Document, Scalar, visit } from "yaml";
import { apiVersion } from "./envelope.ts";
import type { WrittenDocument } from "./kinds/kind.ts";
import { documentKinds } from "./kinds/registry.ts";
import type { Directory } from "./model.ts";

/**
 * Returns `directory` as YAML, one document an entity, in the order of the registry and of ids within a
 * kind. Reading it again gives an equal directory when its unique ids are the derived ones, as of every
 * directory that was read from documents (FILE-10); only `source` of policies differs. What is at its
 * default is left out. Poison has no document. Linear in the entities.
 */
export function formatDocuments(directory: Directory): string {
  const documents = documentKinds.flatMap(({ kind, write }) =>
    write(directory).map((written) => formatDocument(kind, written)),
  );
  return documents.join("---\n");
}

function formatDocument(kind: string, { metadata, spec }: WrittenDocument): string {
  const document = new Document(
    { apiVersion, kind, metadata, spec },
    // compat: whoever reads the documents as YAML 1.1 sees texts, not dates or `yes`
    { version: "1.2", schema: "core", compat: "yaml-1.1", aliasDuplicateObjects: false },
  );
  visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value === "string") node.type = styleOf(node.value);
    },
  });
  return document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: 1_000_000 });
}

/**
 * Returns the style in which `text` survives whatever is in it: plain where nothing speaks against it
 * (the package quotes what would be read as another type), a block literal for ordinary lines, else
 * double quotes.
 */
function styleOf(text: string): Scalar.Type {
  if (!printable.test(text)) return Scalar.QUOTE_DOUBLE;
  if (!text.includes("\n")) return Scalar.PLAIN;
  return ordinaryLines.test(text) ? Scalar.BLOCK_LITERAL : Scalar.QUOTE_DOUBLE;
}

const printable = /^[\t\n -~\u00a1-\u02ff\u0370-\u1fff\u2c00-\ud7ff]*$/;
// The first line shows the indentation, no line is blank or ends in a blank, one end of line at the end.
const ordinaryLines = /^[^\s](.*[^\s])?(\n[\t ]*[^\s](.*[^\s])?)*\n?$/;
