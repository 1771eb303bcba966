import fc from "fast-check";
import { expect, test } from "vitest";
import { serviceOf } from "../../../test/fakes/service-of.ts";
import {
  hiddenHeaders,
  identityHeaderFamily,
  identityHeaders,
  isIdentityHeader,
  normaliseHeaderName,
  removals,
} from "./identity-headers.ts";

test.each([
  ["X-Mesh-IAM-Principal", "x-mesh-iam-principal"],
  ["x_mesh_iam_principal", "x-mesh-iam-principal"],
  ["X_Mesh-Iam_New", "x-mesh-iam-new"],
  ["\u212A", "\u212A"],
])("`%s` folds to `%s`", (name, folded) => {
  expect(normaliseHeaderName(name)).toBe(folded);
});

test.each([
  ["x-mesh-iam-principal", true],
  ["x_mesh_iam_principal", true],
  ["X-Mesh_IAM-anything", true],
  ["x-mesh-iam-", true],
  ["x-mesh-iam", false],
  ["ax-mesh-iam-principal", false],
  ["x-meshiam-principal", false],
])("`%s` is of the identity family: %s", (name, is) => {
  expect(isIdentityHeader(name)).toBe(is);
});

test("the family is the known names and their underscore twins", () => {
  expect(identityHeaderFamily).toHaveLength(2 * identityHeaders.length);
  for (const name of identityHeaders) {
    expect(identityHeaderFamily).toContain(name);
    expect(identityHeaderFamily).toContain(name.replaceAll("-", "_"));
  }
});

test.each([
  ["HDR-013: nothing seen, all the known names are removed", [], [], [], identityHeaderFamily],
  [
    "HDR-006: what the answer sets is not removed, its underscore twin is",
    ["x-mesh-iam-principal"],
    [],
    [],
    identityHeaderFamily.filter((name) => name !== "x-mesh-iam-principal"),
  ],
  [
    "HDR-002: unknown names of the family in any spelling",
    [],
    [],
    ["X-Mesh-IAM-Role", "x_mesh_iam_role"],
    [...identityHeaderFamily, "x-mesh-iam-role", "x_mesh_iam_role"].sort(),
  ],
  [
    "what the service hides",
    [],
    ["Authorization"],
    [],
    [...identityHeaderFamily, "authorization"].sort(),
  ],
  [
    "pseudo-headers and host are never named",
    [],
    ["host", ":path"],
    [":x-mesh-iam-a"],
    identityHeaderFamily,
  ],
])("removals: %s", (_why, set, hidden, seen, want) => {
  expect(removals(set, hidden, seen)).toEqual(want);
});

test.each([
  ["HDR-015.1: a session token is not passed on", serviceOf({}), "session", ["authorization"]],
  ["HDR-015.2: forwardCredential keeps it", serviceOf({ forwardCredential: true }), "session", []],
  ["HDR-015.3: another token is kept", serviceOf({}), "other", []],
  [
    "HDR-015.3: another token goes where the service hides it",
    serviceOf({ hideHeaders: ["authorization", "x-debug"] }),
    "other",
    ["authorization", "x-debug"],
  ],
  [
    "credentials are stripped where nobody was authenticated, forwardCredential or not",
    serviceOf({ forwardCredential: true, hideHeaders: ["x-debug"] }),
    "unauthenticated",
    ["authorization", "x-amz-security-token", "x-debug"],
  ],
] as const)("hidden headers: %s", (_why, service, caller, want) => {
  expect(hiddenHeaders(service)[caller]).toEqual(want);
});

test("R6: no name is both set and removed, the family goes, the list is sorted and of lower case", () => {
  const name = fc.oneof(
    fc.constantFrom(...identityHeaders, "host", ":path", "authorization", "X-Mesh-Iam-Q"),
    fc.stringMatching(/^[a-zA-Z_:-]{1,12}$/),
  );
  const names = fc.array(name, { maxLength: 5 });
  fc.assert(
    fc.property(fc.subarray([...identityHeaders]), names, names, (set, hidden, seen) => {
      const removed = removals(set, hidden, seen);
      const words: readonly string[] = set;
      expect(removed.filter((n) => words.includes(n))).toEqual([]);
      expect(removed).toEqual([...new Set(removed)].sort());
      for (const n of identityHeaderFamily)
        expect(words.includes(n) || removed.includes(n)).toBe(true);
      for (const n of removed) {
        expect(n).toBe(n.toLowerCase());
        expect(n.startsWith(":") || n === "host").toBe(false);
      }
    }),
  );
});
