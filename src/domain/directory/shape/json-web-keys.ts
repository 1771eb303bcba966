import { quote } from "../../../iam/problem.ts";
import { type Place, type Report, refuseAt, within } from "../document-problem.ts";
import { writeJson } from "../yaml/json.ts";
import type { DocumentNode, ListNode } from "../yaml/node.ts";
import { refuseValue, type Shape } from "./shape.ts";

/** Private members of a JWK (RFC 7518, 6.2.2, 6.3.2, 6.4.1; RFC 8037, 2): no document holds a secret. */
const secretMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

const keyTypes = ["RSA", "EC", "OKP"];

const max = 100;

/**
 * The shape of the `keys` of a JWK Set (RFC 7517, 5); the value is the set as JSON text.
 *
 * Only what would make every use wrong is looked at: a private or symmetric key, an entry that is no
 * JWK. Whether a key is strong enough and meant for verifying is judged where it is imported.
 */
export const jsonWebKeys: Shape<string> = {
  expected: `a list of at most ${max} public keys as JWKs`,
  read: (node, place, report) => {
    if (node.type !== "list" || node.items.length > max) {
      return refuseValue(node, place, report, jsonWebKeys.expected);
    }
    const before = report.problems.length;
    for (const [index, item] of node.items.entries()) {
      checkKey(item, within(place, index, item.position), report);
    }
    return report.problems.length > before ? undefined : keySetText(node, place, report);
  },
  schema: {
    type: "array",
    maxItems: max,
    items: {
      type: "object",
      required: ["kty"],
      properties: { kty: { enum: keyTypes } },
      not: { anyOf: secretMembers.map((name) => ({ required: [name] })) },
    },
  },
  members: null,
};

function checkKey(node: DocumentNode, place: Place, report: Report): void {
  if (node.type !== "map") {
    refuseValue(node, place, report, "a JWK");
    return;
  }
  const kty = node.entries.find(({ key }) => key === "kty")?.value;
  if (kty?.type !== "text" || !keyTypes.includes(kty.text)) {
    refuseAt(report, place, "INVALID_VALUE", "expected a JWK with `kty` RSA, EC or OKP");
  }
  for (const { key, keyPosition } of node.entries) {
    if (!secretMembers.includes(key)) continue;
    const at = { ...place, position: keyPosition };
    const message = `expected a public key, got the private member ${quote(key)}`;
    refuseAt(report, at, "INVALID_VALUE", message);
  }
}

function keySetText(node: ListNode, place: Place, report: Report): string | undefined {
  const json = writeJson(node);
  const [bad] = json.unwritable;
  if (bad === undefined) return `{"keys":${json.text}}`;
  const message = `expected a number as JSON writes it, got ${quote(bad.text)}`;
  refuseAt(report, { ...place, position: bad.position }, "INVALID_VALUE", message);
  return undefined;
}
