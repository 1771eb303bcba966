import type { Directory } from "../model.ts";
import { unitName, unitPath } from "../shape/names.ts";
import { record } from "../shape/record.ts";
import { placed, text } from "../shape/scalars.ts";
import { optional, required } from "../shape/shape.ts";
import { organizationalUnitIdOf } from "../unique-id.ts";
import { defineKind } from "./kind.ts";

const unitId = text("an id like `ou-ab12-prod00001`", /^ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}$/, 68);

/** `OrganizationalUnit`: known by its path, so the same name may stand under several parents. */
export const organizationalUnitKind = defineKind({
  kind: "OrganizationalUnit",
  summary:
    "A unit of the organization's tree. Other documents name it by its path, like `/prod/eu`.",
  scope: "organization",
  name: unitName,
  hasPath: false,
  spec: record({
    parentId: required(placed(unitPath), "Path of the parent; `/` is the root."),
    id: optional(
      unitId,
      null,
      "A step of `aws:PrincipalOrgPaths`. Absent: derived from the path; a control plane makes one.",
    ),
  }),
  key: (header, spec) => pathOf(spec.parentId.value, header.name).toLowerCase(),
  declare: (header, spec, world) => {
    const path = pathOf(spec.parentId.value, header.name);
    const rootId = world.organization?.rootId ?? "r-none";
    world.units.set(path, spec.id ?? organizationalUnitIdOf(rootId, path));
  },
  resolve: (header, spec, world) => {
    const path = pathOf(spec.parentId.value, header.name);
    const depth = path.split("/").length - 1;
    const max = world.quotas.organizationalUnitDepth;
    if (depth > max) {
      const message = `expected units nested at most ${max} deep, got ${depth}`;
      world.refuse(spec.parentId.place, "QUOTA_EXCEEDED", message);
    }
    const parentId = world.referUnit(spec.parentId);
    const id = world.units.get(path);
    if (parentId === null || id === undefined) return;
    world.claim("organizational unit id", id, header.namePlace);
    world.draft.organizationalUnits.push({ id, name: header.name, parentId });
  },
  write: (directory) => {
    const paths = unitPaths(directory);
    return directory.organizationalUnits.map(({ id, name, parentId }) => ({
      metadata: { name },
      spec: { parentId: paths.get(parentId) ?? parentId, id },
    }));
  },
});

function pathOf(parent: string, name: string): string {
  return parent === "/" ? `/${name}` : `${parent}/${name}`;
}

/** Returns the paths of root and units by their ids; linear in units times their depth. */
export function unitPaths(
  directory: Pick<Directory, "organization" | "organizationalUnits">,
): ReadonlyMap<string, string> {
  const { organization, organizationalUnits } = directory;
  const units = new Map(organizationalUnits.map((unit) => [unit.id, unit]));
  const paths = new Map<string, string>();
  if (organization !== null) paths.set(organization.rootId, "/");
  for (const unit of organizationalUnits) {
    const names: string[] = [];
    const seen = new Set<string>();
    let step = units.get(unit.id);
    for (; step !== undefined && !seen.has(step.id); step = units.get(step.parentId)) {
      seen.add(step.id);
      names.unshift(step.name);
    }
    paths.set(unit.id, `/${names.join("/")}`);
  }
  return paths;
}
