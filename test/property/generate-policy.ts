// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables are what is generated
import { formatArn } from "../../src/iam/arn.ts";
import type { DocumentType } from "../../src/iam/policy/policy-type.ts";
import type { Principal } from "../../src/iam/principal.ts";
import type { ContextValue } from "../../src/iam/request-context.ts";
import type { DraftDocument, DraftStatement, PrincipalDraft } from "./draft.ts";
import { generateCondition } from "./generate-condition.ts";
import type { Random } from "./random.ts";
import {
  actionPatterns,
  awsNames,
  canonicalUser,
  idp,
  resourcePatterns,
  saml,
  type Target,
} from "./universe.ts";

/** What a policy is generated for: its statements shall hit this request more often than not. */
export interface Aim {
  readonly principal: Principal;
  readonly target: Target;
  readonly keys: ReadonlyMap<string, ContextValue>;
}

/** Returns a document that the loader accepts as a policy of `type`. */
export function generateDocument(random: Random, aim: Aim, type: DocumentType): DraftDocument {
  const statements = Array.from({ length: 1 + random.int(3) }, () =>
    generateStatement(random, aim, type),
  );
  if (type === "serviceControl" || type === "resourceControl") {
    return { Version: "2012-10-17", Statement: statements };
  }
  if (random.chance(0.06)) return { Statement: statements };
  return { Version: random.chance(0.08) ? "2008-10-17" : "2012-10-17", Statement: statements };
}

/** Returns a statement that the loader accepts in a policy of `type`. */
export function generateStatement(random: Random, aim: Aim, type: DocumentType): DraftStatement {
  const isDeny = type === "resourceControl" || random.chance(0.15);
  // a Deny that always hits would leave nothing to decide
  const isNarrow = isDeny && random.chance(0.85);
  const hit = isNarrow ? 0.35 : 0.95;
  const withCondition = random.chance(isNarrow ? 0.7 : 0.3);
  return {
    ...(random.chance(0.2) && { Sid: `s${random.int(3)}` }),
    Effect: isDeny ? "Deny" : "Allow",
    ...generatePrincipal(random, aim, type, isDeny),
    ...generateAction(random, aim, type, hit),
    ...(type !== "trust" && generateResource(random, aim, type, hit)),
    ...(withCondition && { Condition: generateCondition(random, aim.keys) }),
  };
}

function generatePrincipal(
  random: Random,
  { principal }: Aim,
  type: DocumentType,
  isDeny: boolean,
): Pick<DraftStatement, "Principal" | "NotPrincipal"> {
  if (type === "resourceControl") return { Principal: "*" };
  if (type !== "resource" && type !== "trust") return {};
  if (type === "resource" && isDeny && random.chance(0.35)) {
    return { NotPrincipal: generateExempted(random, principal) };
  }
  if (random.chance(0.1)) return { Principal: "*" };
  if (random.chance(0.02)) return { Principal: {} };
  if (random.chance(0.03)) return { Principal: { CanonicalUser: [canonicalUser] } };
  const names = random.chance(isDeny ? 0.5 : 0.85) ? namesFor(random, principal, type) : {};
  if (Object.keys(names).length > 0 && random.chance(0.7)) return { Principal: names };
  const AWS = [...("AWS" in names ? (names.AWS ?? []) : []), ...random.some(awsNames, 1, 2)];
  return { Principal: { ...names, AWS } };
}

/** Names that take the caller in, at one level or another. */
function namesFor(
  random: Random,
  principal: Principal,
  type: DocumentType,
): Exclude<PrincipalDraft, "*"> {
  switch (principal.type) {
    case "anonymous":
      return random.chance(0.8) ? { AWS: ["*"] } : {};
    case "service":
      return { Service: random.shuffle([principal.name, "sqs.amazonaws.com"]) };
    case "web-identity":
    case "saml":
      return type === "trust" ? { Federated: [random.pick([principal.provider, idp, saml])] } : {};
    case "root":
      return { AWS: [principal.account] };
    case "user":
    case "workload":
      return { AWS: [random.pick([principal.arn, principal.arn, principal.account])] };
    case "assumed-role":
      return { AWS: [random.pick([principal.arn, principal.roleArn, principal.account])] };
    case "federated-user":
      return { AWS: [random.pick([principal.arn, principal.userArn, principal.account])] };
  }
}

/** A NotPrincipal list that now and then holds the caller's whole chain (NPR-2). */
function generateExempted(random: Random, principal: Principal): PrincipalDraft {
  const named = awsNames.filter((name) => name !== "*");
  switch (principal.type) {
    case "service":
      return {
        Service: [random.pick([principal.name, principal.name, "sqs.amazonaws.com"])],
        AWS: random.some(named, 1, 1),
      };
    case "anonymous":
    case "web-identity":
    case "saml":
      return { AWS: random.some(named, 1, 3) };
    default: {
      const chain = [principal.account, principal.arn];
      if (principal.type === "assumed-role") chain.push(principal.roleArn);
      if (principal.type === "federated-user") chain.push(principal.userArn);
      const listed = chain.filter(() => random.chance(0.85));
      return { AWS: random.shuffle([...listed, ...random.some(named, 1, 1)]) };
    }
  }
}

/** What may stand in an RCP: no bare `*`, no action of a service that RCPs do not reach (TYPE-1). */
const controlled = actionPatterns.filter((pattern) =>
  /^(s3|S3|sqs|orders|kms|sts|nosuch):/.test(pattern),
);

function generateAction(
  random: Random,
  { target }: Aim,
  type: DocumentType,
  hit: number,
): Pick<DraftStatement, "Action" | "NotAction"> {
  const [service = "", name = ""] = target.action.split(":");
  const patterns = type === "resourceControl" ? controlled : actionPatterns;
  const fitting = [target.action, `${service}:*`, `${service}:${name.slice(0, 3)}*`].filter(
    () => type !== "resourceControl" || service.toLowerCase() !== "iam",
  );
  const list = random.some(patterns, 0, 2);
  if (fitting.length > 0 && random.chance(hit)) list.push(random.pick(fitting));
  if (list.length === 0 && random.chance(0.9)) list.push(random.pick(patterns));
  const others = list.filter((pattern) => !fitting.includes(pattern));
  if (type !== "resourceControl" && others.length > 0 && random.chance(0.1)) {
    return { NotAction: others };
  }
  return { Action: random.shuffle(list) };
}

function generateResource(
  random: Random,
  { target }: Aim,
  type: DocumentType,
  hit: number,
): Pick<DraftStatement, "Resource" | "NotResource"> {
  // RES-5: no short forms in RCPs
  const patterns = resourcePatterns.filter(
    (pattern) => type !== "resourceControl" || !/^arn:(\*|aws:s3:\*)$/.test(pattern),
  );
  if (random.chance(0.12)) return { NotResource: random.some(patterns, 1, 2) };
  const list = random.some(patterns, 0, 2);
  if (random.chance(hit)) list.push(random.pick(["*", ...patternsFor(target)]));
  if (list.length === 0 && random.chance(0.9)) list.push(random.pick(patterns));
  return { Resource: random.shuffle(list) };
}

/** ARN patterns that fit the target: its own text with `*` escaped, and wider ones. */
function patternsFor({ arn }: Target): string[] {
  if (arn === null) return ["*"];
  const { resource } = arn;
  const escaped = formatArn({ ...arn, resource: resource.replaceAll("*", "${*}") });
  const wide = formatArn({ ...arn, resource: `${resource.slice(0, 3)}*` });
  // the text stays inside AWS's character set (DOC-1)
  return resource.includes("\u{1F600}") ? [wide] : [escaped, wide];
}
