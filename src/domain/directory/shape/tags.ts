import { quote } from "../../../iam/problem.ts";
import type { Tags } from "../../request/service-definition.ts";
import { compareText } from "../compare-text.ts";
import { type Place, type Report, refuseAt, within } from "../document-problem.ts";
import {
  maxTags,
  tagKeyPattern,
  tagKeyWords,
  tagValuePattern,
  tagValueWords,
} from "../tag-text.ts";
import type { DocumentNode } from "../yaml/node.ts";
import { type Entry, listOf, mapOf } from "./collections.ts";
import { record } from "./record.ts";
import { text } from "./scalars.ts";
import { refuseValue, required, type Shape } from "./shape.ts";

const value = text(tagValueWords, tagValuePattern, 256);
const asMap = mapOf(tagKeyWords, tagKeyPattern, value, maxTags);
const asList = listOf(
  record({
    key: required(text(tagKeyWords, tagKeyPattern, 128), "The key."),
    value: required(value, "The value."),
  }),
  { max: maxTags, uniqueBy: ({ key }) => key.toLowerCase() },
);

/**
 * The shape of tags: a mapping, or CloudFormation's list of `key` and `value` (FILE-2). At most 50,
 * keys unique ignoring case (TAG-1), none of AWS's own (`aws:`). The result is sorted by key.
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
