import { quote } from "../../../iam/problem.ts";
import type { Tags } from "../../request/service-definition.ts";
import { compareText } from "../compare-text.ts";
import { type Place, type Report, refuseAt, within } from "../document-problem.ts";
import type { DocumentNode } from "../yaml/node.ts";
import { type Entry, listOf, mapOf } from "./collections.ts";
import { record } from "./record.ts";
import { text } from "./scalars.ts";
import { refuseValue, required, type Shape } from "./shape.ts";

/** IAM API reference, Tag; tag keys are compared ignoring case (TAG-1). */
const keyPattern = /^[\p{L}\p{Z}\p{N}_.:/=+@-]{1,128}$/u;
const valuePattern = /^[\p{L}\p{Z}\p{N}_.:/=+@-]*$/u;
const expectedKey = "a tag key of 1 to 128 letters, digits, spaces and `_.:/=+@-`";
const expectedValue = "a tag value of at most 256 letters, digits, spaces and `_.:/=+@-`";
const max = 50;

const value = text(expectedValue, valuePattern, 256);
const asMap = mapOf(expectedKey, keyPattern, value, max);
const asList = listOf(
  record({
    key: required(text(expectedKey, keyPattern, 128), "The key."),
    value: required(value, "The value."),
  }),
  { max, uniqueBy: ({ key }) => key.toLowerCase() },
);

/**
 * The shape of tags: a mapping, or CloudFormation's list of `key` and `value` (FILE-2). At most 50,
 * keys unique ignoring case, none of AWS's own (`aws:`). The result is sorted by key.
 */
export const tags: Shape<Tags> = {
  expected: "tags as a mapping",
  read: (node, place, report) => {
    const entries = readEntries(node, place, report);
    if (entries === undefined) return undefined;
    for (const { key } of entries) {
      if (!key.toLowerCase().startsWith("aws:")) continue;
      const at = within(place, key, place.position);
      refuseAt(
        report,
        at,
        "RESERVED_NAME",
        `tag keys that begin with ${quote("aws:")} are AWS's own`,
      );
    }
    const sorted = entries.toSorted((a, b) => compareText(a.key, b.key));
    return new Map(sorted.map((entry) => [entry.key, entry.value]));
  },
  schema: { anyOf: [asMap.schema, asList.schema] },
  members: null,
};

function readEntries(
  node: DocumentNode,
  place: Place,
  report: Report,
): readonly Entry<string>[] | undefined {
  if (node.type === "list") return asList.read(node, place, report);
  if (node.type === "map") return asMap.read(node, place, report);
  return refuseValue(node, place, report, tags.expected);
}
