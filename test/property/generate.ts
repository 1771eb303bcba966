import type { DocumentType } from "../../src/iam/policy/policy-type.ts";
import { accountOf, type Principal } from "../../src/iam/principal.ts";
import type { ContextValue, KeyFault, OrganizationFacts } from "../../src/iam/request-context.ts";
import type { Draft, DraftPolicy } from "./draft.ts";
import { generateKeys } from "./generate-condition.ts";
import { type Aim, generateDocument } from "./generate-policy.ts";
import type { Random } from "./random.ts";
import { other, own, principals, type Target, targets } from "./universe.ts";

/**
 * Returns a question with its policies: the request first, then policies that know it. Between 30 and
 * 70 of a hundred are allowed; the differential test measures that.
 */
export function generateDraft(random: Random): Draft {
  const principal = random.pick(principals);
  const target = generateTarget(random, principal);
  const keys = generateKeys(random);
  const aim: Aim = { principal, target, keys };
  const owner = target.arn === null ? accountOf(principal) : random.chance(0.7) ? own : other;
  const account = target.arn !== null && owner === null ? own : owner;
  const resourceType = target.class === "role-trust" ? "trust" : "resource";
  return {
    context: {
      principal,
      action: random.chance(0.1) ? target.action.toUpperCase() : target.action,
      resource: { arn: target.arn, account, class: target.class },
      principalOrganization:
        accountOf(principal) === null ? null : generateOrganization(random, own),
      resourceOrganization: generateOrganization(random, account),
      keys,
      faults: generateFaults(random, keys),
      nowMs: 1_795_478_400_000,
    },
    keys,
    layers: {
      identity: random.chance(0.78) ? generateList(random, aim, "identity", "i", 1, 3) : [],
      resource: random.chance(0.72) ? generateOne(random, aim, resourceType, "r") : null,
      permissionsBoundary: random.chance(0.42)
        ? generateOne(random, aim, "permissionsBoundary", "b")
        : null,
      session: random.chance(principal.type === "federated-user" ? 0.75 : 0.45)
        ? generateList(random, aim, "session", "s", 1, 2)
        : null,
      serviceControl: random.chance(0.45) ? generateLevels(random, aim, "serviceControl") : null,
      resourceControl: random.chance(0.38) ? generateLevels(random, aim, "resourceControl") : null,
    },
  };
}

/** Callers ask for what they may ask for, mostly: half of the STS operations are closed to each. */
function generateTarget(random: Random, principal: Principal): Target {
  const target = random.pick(targets);
  if (random.chance(0.1)) return target;
  const isTrust = (each: Target): boolean => each.class === "role-trust";
  switch (principal.type) {
    case "web-identity":
      return random.pick(targets.filter(({ action }) => action === withWebIdentity));
    case "saml":
      return random.pick(targets.filter(({ action }) => action === withSaml));
    case "anonymous":
    case "root":
    case "federated-user":
      return isTrust(target) ? random.pick(targets.filter((each) => !isTrust(each))) : target;
    default:
      return target.action === withWebIdentity || target.action === withSaml
        ? random.pick(targets)
        : target;
  }
}

const withWebIdentity = "sts:AssumeRoleWithWebIdentity";
const withSaml = "sts:AssumeRoleWithSAML";

function generateOrganization(random: Random, account: string | null): OrganizationFacts | null {
  if (random.chance(0.4)) return null;
  return {
    id: "o-1",
    managementAccount: random.chance(0.1) ? account : random.pick([null, "999999999999"]),
    path: random.pick([null, "o-1/r-1/ou-1/"]),
    serviceControlEnabled: random.chance(0.9),
  };
}

function generateFaults(
  random: Random,
  keys: ReadonlyMap<string, ContextValue>,
): ReadonlyMap<string, KeyFault> | null {
  if (random.chance(0.94)) return null;
  const faults: KeyFault[] = ["evaluation-error", "ambiguous-header"];
  const names = random.some([...keys.keys(), "aws:username", "mesh:jwtclaim/groups"], 1, 4);
  return new Map(names.map((name) => [name, random.pick(faults)]));
}

function generateOne(random: Random, aim: Aim, type: DocumentType, id: string): DraftPolicy {
  const isLimit = type === "permissionsBoundary" || type === "session";
  if (isLimit && random.chance(0.3)) return { ...fullAccess, id };
  return { id, document: random.chance(0.004) ? null : generateDocument(random, aim, type) };
}

function generateList(
  random: Random,
  aim: Aim,
  type: DocumentType,
  prefix: string,
  min: number,
  max: number,
): DraftPolicy[] {
  return Array.from({ length: min + random.int(max - min + 1) }, (_, index) =>
    generateOne(random, aim, type, `${prefix}${index}`),
  );
}

function generateLevels(
  random: Random,
  aim: Aim,
  type: "serviceControl" | "resourceControl",
): DraftPolicy[][] {
  return Array.from({ length: 1 + random.int(3) }, (_, level) => {
    const policies = generateList(random, aim, type, `${type}-${level}-`, 0, 1);
    // what an organization attaches everywhere: FullAWSAccess
    if (type === "serviceControl" && random.chance(0.85)) policies.push(fullAccess);
    return policies;
  });
}

const fullAccess: DraftPolicy = {
  id: "FullAWSAccess",
  document: {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: ["*"], Resource: ["*"] }],
  },
};
