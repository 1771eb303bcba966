import fc from "fast-check";
import { expect, test } from "vitest";
import { type IdentifiedKind, organizationalUnitIdOf, rootIdOf, uniqueId } from "./unique-id.ts";

test.each<[IdentifiedKind, RegExp]>([
  ["User", /^AIDA[A-Z2-7]{24}$/],
  ["Group", /^AGPA[A-Z2-7]{24}$/],
  ["Role", /^AROA[A-Z2-7]{24}$/],
  ["Workload", /^AWLD[A-Z2-7]{24}$/],
  ["ManagedPolicy", /^ANPA[A-Z2-7]{24}$/],
  ["OidcProvider", /^AOIP[A-Z2-7]{24}$/],
  ["Organization", /^o-[a-z0-9]{10,32}$/],
  ["ServiceControlPolicy", /^p-[a-z0-9]{8,128}$/],
  ["ResourceControlPolicy", /^p-[a-z0-9]{8,128}$/],
  ["TrustDomain", /^td-[a-z2-7]{24}$/],
  ["Service", /^svc-[a-z2-7]{24}$/],
])("the unique id of a %s has AWS's shape", (kind, shape) => {
  expect(uniqueId(kind, "111122223333", "a")).toMatch(shape);
});

test("root and OU ids have AWS's shape", () => {
  const root = rootIdOf("o-acme123456");
  expect(root).toMatch(/^r-[a-z0-9]{4,32}$/);
  expect(organizationalUnitIdOf(root, "/prod/eu")).toMatch(/^ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}$/);
  expect(organizationalUnitIdOf(root, "/prod/eu")).not.toBe(
    organizationalUnitIdOf(root, "/dev/eu"),
  );
});

test("an id is the same on every machine: the value is fixed", () => {
  // printf 'Role\000111122223333\000app' | sha256sum | cut -c-64 | xxd -r -p | base32 | cut -c-24
  expect(uniqueId("Role", "111122223333", "app")).toBe("AROA2C7I3IHYQOMXMCLQKJUWO3UZ");
});

test("kind, account and name are kept apart", () => {
  const part = fc.string({ maxLength: 6 }).map((text) => text.replaceAll("\0", ""));
  fc.assert(
    fc.property(part, part, part, part, (account, name, otherAccount, otherName) => {
      const same = account === otherAccount && name === otherName;
      expect(uniqueId("User", account, name) === uniqueId("User", otherAccount, otherName)).toBe(
        same,
      );
      expect(uniqueId("User", account, name).slice(4)).not.toBe(
        uniqueId("Role", account, name).slice(4),
      );
    }),
  );
});
