import { expect, test } from "vitest";
import { fullAccess, fullAccessId } from "./full-access.ts";
import { createLookup } from "./lookup.ts";
import type { Account, Directory, OrganizationPolicy, Poison } from "./model.ts";

const policy = (id: string, targetIds: readonly string[]): OrganizationPolicy => ({
  id,
  name: id,
  targetIds,
  policy: { id, text: "{}", source: null },
});
const full = (targetIds: readonly string[]): OrganizationPolicy => ({
  id: fullAccessId,
  name: "FullAWSAccess",
  targetIds,
  policy: null,
});
const account = (id: string, parentId: string | null): Account => ({
  id,
  name: id,
  parentId,
  email: "",
  tags: new Map(),
  state: "active",
});

const empty: Directory = {
  org: "o-1",
  partition: "aws",
  organization: { id: "o-1", rootId: "r-1", name: "acme", managementAccountId: "M" },
  organizationalUnits: [
    { id: "ou-prod", name: "prod", parentId: "r-1" },
    { id: "ou-eu", name: "eu", parentId: "ou-prod" },
  ],
  accounts: [account("A", "ou-eu"), account("M", "r-1"), account("X", null)],
  serviceControlPolicies: [],
  resourceControlPolicies: [],
  users: [],
  groups: [],
  roles: [],
  workloads: [],
  managedPolicies: [],
  oidcProviders: [],
  trustDomains: [],
  services: [],
  serviceIdentities: new Map(),
  poison: [],
};

function placeOf(id: string, change: Partial<Directory> = {}) {
  const { organization, serviceControl, resourceControl } = createLookup({
    ...empty,
    ...change,
  }).placeOf(id);
  const ids = (levels: typeof serviceControl) =>
    levels?.map((level) => level.map((one) => ("text" in one ? one.id : `!${one.id}`))) ?? null;
  return { organization, scp: ids(serviceControl), rcp: ids(resourceControl) };
}

test("an account's path is made of organization, root and OUs, with a slash behind", () => {
  expect(placeOf("A").organization).toEqual({
    id: "o-1",
    managementAccount: "M",
    path: "o-1/r-1/ou-prod/ou-eu/",
    serviceControlEnabled: false,
  });
  expect(placeOf("M").organization?.path).toBe("o-1/r-1/");
});

test("the place of an account is one record", () => {
  const { placeOf: place } = createLookup(empty);
  expect(place("A")).toBe(place("A"));
});

test.each([
  { why: "no organization", id: "A", change: { organization: null, org: "local" } },
  {
    why: "an account that nobody knows",
    id: "Z",
    change: { serviceControlPolicies: [policy("p", ["r-1"])] },
  },
])("no facts and no levels: $why", ({ id, change }) => {
  expect(placeOf(id, change)).toEqual({ organization: null, scp: null, rcp: null });
});

test("an account whose parent is lost is not free of every SCP: it is denied", () => {
  const place = placeOf("X", { serviceControlPolicies: [policy("p", ["r-1"])] });
  expect(place).toMatchObject({ scp: [["!r-1"]], rcp: [["!r-1"]] });
  expect(place.organization?.path).toBeNull();
});

test("T-ORG-20: without SCPs there is no SCP step, without RCPs no RCP step", () => {
  expect(placeOf("A")).toMatchObject({ scp: null, rcp: null });
});

test("FILE-25: one SCP enables them, and FullAWSAccess is then at every level", () => {
  const place = placeOf("A", { serviceControlPolicies: [policy("p-deny", ["ou-prod"])] });
  expect(place.organization?.serviceControlEnabled).toBe(true);
  expect(place.scp).toEqual([
    [fullAccess.id],
    [fullAccess.id, "p-deny"],
    [fullAccess.id],
    [fullAccess.id],
  ]);
});

test("FILE-25: a FullAWSAccess document says where it is attached instead; T-ORG-05: a level may be empty", () => {
  const place = placeOf("A", {
    serviceControlPolicies: [full(["r-1", "A"]), policy("p-orders", ["ou-prod", "A"])],
  });
  expect(place.scp).toEqual([[fullAccess.id], ["p-orders"], [], [fullAccess.id, "p-orders"]]);
});

test("FullAWSAccess attached nowhere leaves every level empty", () => {
  expect(placeOf("A", { serviceControlPolicies: [full([])] }).scp).toEqual([[], [], [], []]);
});

test("FullAWSAccess is one shared record", () => {
  const { serviceControl } = createLookup({
    ...empty,
    serviceControlPolicies: [policy("p", [])],
  }).placeOf("A");
  expect(serviceControl?.every(([first]) => first === fullAccess)).toBe(true);
});

test("the levels of the management account are given; whether they count is the engine's business", () => {
  expect(placeOf("M", { serviceControlPolicies: [policy("p", ["r-1"])] }).scp).toEqual([
    [fullAccess.id, "p"],
    [fullAccess.id],
  ]);
});

test("RCPs have levels of their own, without a built-in one", () => {
  expect(placeOf("A", { resourceControlPolicies: [policy("p-rcp", ["A", "r-1"])] })).toMatchObject({
    scp: null,
    rcp: [["p-rcp"], [], [], ["p-rcp"]],
  });
});

const poison = (kind: string, objectId: string): readonly Poison[] => [
  { kind, objectId, reason: "too large" },
];

test.each([
  {
    why: "a poisoned SCP may be attached anywhere",
    change: { poison: poison("serviceControlPolicy", "p-lost") },
    scp: [[fullAccess.id, "!p-lost"], [fullAccess.id], [fullAccess.id], [fullAccess.id]],
    rcp: null,
  },
  {
    why: "a poisoned RCP too",
    change: { poison: poison("resourceControlPolicy", "p-lost") },
    scp: null,
    rcp: [["!p-lost"], [], [], []],
  },
  {
    why: "a poisoned account has no known place",
    change: { poison: poison("account", "A") },
    scp: [["!A"]],
    rcp: [["!A"]],
  },
  {
    why: "a poisoned OU hides what is above it",
    change: {
      organizationalUnits: [{ id: "ou-eu", name: "eu", parentId: "ou-prod" }],
      poison: poison("organizationalUnit", "ou-prod"),
    },
    scp: [["!ou-prod"]],
    rcp: [["!ou-prod"]],
  },
  {
    why: "an OU that is not there likewise",
    change: { organizationalUnits: [] },
    scp: [["!ou-eu"]],
    rcp: [["!ou-eu"]],
  },
  {
    why: "OUs in a circle likewise",
    change: {
      organizationalUnits: [
        { id: "ou-prod", name: "prod", parentId: "ou-eu" },
        { id: "ou-eu", name: "eu", parentId: "ou-prod" },
      ],
    },
    scp: [["!ou-eu"]],
    rcp: [["!ou-eu"]],
  },
  {
    why: "a poisoned organization hides everything",
    change: { organization: null, poison: poison("organization", "o-1") },
    scp: [["!o-1"]],
    rcp: [["!o-1"]],
  },
])("what cannot be known stands in the levels: $why", ({ change, scp, rcp }) => {
  const place = placeOf("A", change);
  expect(place).toMatchObject({ scp, rcp });
  // INVARIANT: the SCP step is never skipped because something is lost
  if (scp !== null) expect(place.organization?.serviceControlEnabled).toBe(true);
});
