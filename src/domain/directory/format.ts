import { Document, isScalar, Scalar, visit } from "yaml";
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
    // Texts that hold line ends other than LF, or tabs, survive in double quotes only.
    Scalar: (_key, node) => {
      if (
        isScalar(node) &&
        typeof node.value === "string" &&
        /[^\n -~\u00a1-\ud7ff]/.test(node.value)
      ) {
        node.type = Scalar.QUOTE_DOUBLE;
      }
    },
  });
  return document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: 1_000_000 });
}
