import { expect, test } from "vitest";
import type { Decision } from "../../src/iam/decision.ts";
import type { DocumentType } from "../../src/iam/policy/policy-type.ts";
import type { PolicyLayers } from "../../src/iam/request-context.ts";
import { evaluators } from "../corpus/evaluators.ts";
import { mapLayers } from "../corpus/map-layers.ts";
import {
  type Draft,
  type DraftDocument,
  type DraftPolicy,
  type DraftStatement,
  scenarioOf,
  textOf,
} from "./draft.ts";
import { generateDraft } from "./generate.ts";
import { type Aim, generateDocument, generateStatement } from "./generate-policy.ts";
import { createRandom, type Random } from "./random.ts";
import { caseCount, first, reproduce, seed } from "./settings.ts";
import type { Target } from "./universe.ts";

/**
 * Laws that need no oracle (MET-01 to MET-08 of the security reference, T-PROP-01 to 03 and 09): a
 * question is changed and the two answers must be related as the law says, in every evaluator.
 */
interface Law {
  readonly id: string;
  readonly law: string;
  /** Returns the changed question, or null where the law says nothing of this one. */
  change(draft: Draft, random: Random): Draft | null;
  /** Returns whether the two answers may stand beside each other. */
  holds(before: Decision, after: Decision): boolean;
}

const same = (before: Decision, after: Decision): boolean =>
  before.decision === after.decision &&
  before.deniedBy === after.deniedBy &&
  before.deniedLevel === after.deniedLevel &&
  before.reason === after.reason &&
  String(before.errors) === String(after.errors);

const grantsNothing = (before: Decision, after: Decision): boolean =>
  before.decision === "allowed" || after.decision !== "allowed";

const deniesNothing = (before: Decision, after: Decision): boolean =>
  before.decision !== "allowed" || after.decision === "allowed";

const laws: readonly Law[] = [
  {
    id: "MET-01, T-PROP-01",
    law: "adding a Deny statement never grants",
    change: (draft, random) => {
      const { layer, type } = pickLayer(draft, random);
      const statement = { ...statementFor(draft, random, type), Effect: "Deny" as const };
      return addStatement(draft, layer, statement);
    },
    holds: grantsNothing,
  },
  {
    id: "MET-02, T-PROP-02",
    law: "adding an Allow statement that reads no key never denies",
    change: (draft, random) => {
      const { layer, type } = pickLayer(draft, random);
      if (type === "resourceControl") return null; // RCPs hold no Allow
      const { Condition: _, NotPrincipal: __, ...allow } = statementFor(draft, random, type);
      const plain: DraftStatement = {
        ...allow,
        Effect: "Allow",
        ...("Resource" in allow && { Resource: allow.Resource?.filter(isPlain) ?? [] }),
        ...("NotResource" in allow && { NotResource: ["arn:aws:s3:::bkt/nothing"] }),
        ...(isOfResource(type) && { Principal: allow.Principal ?? "*" }),
      };
      return addStatement(draft, layer, plain);
    },
    holds: deniesNothing,
  },
  {
    id: "MET-03, T-PROP-03",
    law: "order, duplication and Sids of statements, order of policies and of every list decide nothing",
    change: (draft, random) => ({
      ...draft,
      ...reorderedKeys(draft, random),
      layers: reorderedPolicies(
        mapDocuments(draft.layers, ({ Statement, ...rest }) => {
          const twice = random.chance(0.5) ? [...Statement, random.pick(Statement)] : Statement;
          const statements = twice.map((statement) => reordered(random, statement));
          return { Statement: random.shuffle(statements), ...rest };
        }),
        random,
      ),
    }),
    holds: same,
  },
  {
    id: "MET-04",
    law: "a statement over a list of actions is the union of statements over its parts",
    change: (draft) => ({
      ...draft,
      layers: mapDocuments(draft.layers, (document) => ({
        ...document,
        Statement: document.Statement.flatMap((statement) =>
          statement.Action === undefined || statement.Action.length < 2
            ? [statement]
            : statement.Action.map((action) => ({ ...statement, Action: [action] })),
        ),
      })),
    }),
    holds: same,
  },
  {
    id: "MET-05",
    law: "an SCP, RCP, boundary or session policy only shrinks",
    change: (draft, random) => {
      const { layers } = draft;
      const aim = aimOf(draft);
      const policy = (type: DocumentType) => ({
        id: "added",
        document: generateDocument(random, aim, type),
      });
      switch (random.int(4)) {
        case 0: {
          const levels = layers.serviceControl ?? [];
          return withLayers(draft, { serviceControl: [...levels, [policy("serviceControl")]] });
        }
        case 1: {
          const levels = layers.resourceControl ?? [];
          return withLayers(draft, { resourceControl: [...levels, [policy("resourceControl")]] });
        }
        case 2:
          if (layers.permissionsBoundary !== null) return null;
          return withLayers(draft, { permissionsBoundary: policy("permissionsBoundary") });
        default:
          // of a federated session the policy is what grants (6.2)
          if (layers.session !== null || draft.context.principal.type === "federated-user") {
            return null;
          }
          return withLayers(draft, { session: [policy("session")] });
      }
    },
    holds: grantsNothing,
  },
  {
    id: "MET-06",
    law: "a boundary that allows everything changes nothing but what NotPrincipal denies (NPR-3)",
    change: (draft) => {
      const { permissionsBoundary, resource } = draft.layers;
      const exempts = resource?.document?.Statement.some(({ NotPrincipal }) => NotPrincipal);
      if (permissionsBoundary !== null || exempts) return null;
      return withLayers(draft, { permissionsBoundary: { id: "all", document: everything } });
    },
    holds: same,
  },
  {
    id: "MET-07",
    law: "letter case of the action and of actions in policies is irrelevant",
    change: (draft, random) => {
      const anyCase = (text: string): string =>
        random.chance(0.5) ? text.toUpperCase() : text.toLowerCase();
      const recase = (actions: readonly string[] | undefined, name: string) =>
        actions && { [name]: actions.map(anyCase) };
      return {
        ...draft,
        context: { ...draft.context, action: anyCase(draft.context.action) },
        layers: mapDocuments(draft.layers, (document) => ({
          ...document,
          Statement: document.Statement.map((statement) => ({
            ...statement,
            ...recase(statement.Action, "Action"),
            ...recase(statement.NotAction, "NotAction"),
          })),
        })),
      };
    },
    holds: same,
  },
  {
    id: "MET-08",
    law: "a key that no policy reads changes nothing, a faulty one neither",
    change: (draft, random) => {
      const unread = new Map(draft.keys).set("mesh:requestheader/x-unread", {
        multivalued: false,
        values: ["x"],
      });
      const faults = new Map(draft.context.faults).set(
        "mesh:requestheader/x-other",
        "evaluation-error",
      );
      const isFaulty = random.chance(0.5);
      const context = { ...draft.context, keys: unread, ...(isFaulty && { faults }) };
      return { ...draft, keys: unread, context };
    },
    holds: same,
  },
  {
    id: "T-PROP-09",
    law: "statements that are no candidates change nothing, whatever they read",
    change: (draft, random) => {
      const { layer, type } = pickLayer(draft, random);
      const { NotAction: _, ...statement } = statementFor(draft, random, type);
      return addStatement(draft, layer, { ...statement, Action: ["nosuch:Thing", "s3:PutObject"] });
    },
    holds: same,
  },
  {
    id: "T-PROP-09",
    law: "taking statements away that are no candidates changes nothing",
    change: (draft) => {
      const service = draft.context.action.split(":")[0]?.toLowerCase() ?? "";
      const isOther = ({ Action, NotAction }: DraftStatement): boolean =>
        NotAction === undefined &&
        (Action ?? []).every(
          (action) => /^[a-z0-9]+:/.test(action) && !action.startsWith(`${service}:`),
        );
      return {
        ...draft,
        layers: mapDocuments(draft.layers, (document) => {
          const kept = document.Statement.filter((statement) => !isOther(statement));
          return { ...document, Statement: kept.length > 0 ? kept : document.Statement };
        }),
      };
    },
    holds: same,
  },
];

const cases = caseCount(600);

test.each(laws)("$id $law", { timeout: 600_000 }, ({ id, change, holds }) => {
  let changed = 0;
  for (let index = first; index < first + cases; index++) {
    const random = createRandom(seed + 1, index);
    const draft = generateDraft(random);
    const other = change(draft, random);
    if (other === null) continue;
    changed++;
    const before = scenarioOf(draft, `before-${index}`);
    const after = scenarioOf(other, `after-${index}`);
    for (const { name, evaluate } of evaluators) {
      const [answer, otherAnswer] = [evaluate(before), evaluate(after)];
      if (holds(answer, otherAnswer)) continue;
      expect.fail(
        [
          `${id} is broken by the ${name} evaluator in case ${index}:`,
          `${answer.decision}, then ${otherAnswer.decision}; to see it again:`,
          reproduce(index, "laws.test.ts"),
          textOf(draft, "before"),
          textOf(other, "after"),
        ].join("\n"),
      );
    }
  }
  if (cases >= 600) expect(changed).toBeGreaterThan(cases / 4);
});

const everything: DraftDocument = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: ["*"], Resource: ["*"] }],
};

function withLayers(draft: Draft, layers: Partial<PolicyLayers<DraftPolicy>>): Draft {
  return { ...draft, layers: { ...draft.layers, ...layers } };
}

function mapDocuments(
  layers: PolicyLayers<DraftPolicy>,
  map: (document: DraftDocument) => DraftDocument,
): PolicyLayers<DraftPolicy> {
  return mapLayers(layers, ({ id, document }) => ({ id, document: document && map(document) }));
}

function aimOf({ context, keys }: Draft): Aim {
  const { action, resource, principal } = context;
  const target: Target = { action, arn: resource.arn, class: resource.class };
  return { principal, target, keys };
}

type LayerName = keyof PolicyLayers<DraftPolicy>;

/** Returns a layer that is there, with what its documents are read as. */
function pickLayer(draft: Draft, random: Random): { layer: LayerName; type: DocumentType } {
  const { layers, context } = draft;
  const present = (Object.keys(layers) as LayerName[]).filter(
    (name) => policiesOf(layers, name).length > 0,
  );
  const layer = present.length === 0 ? "identity" : random.pick(present);
  const isTrust = layer === "resource" && context.resource.class === "role-trust";
  return { layer, type: isTrust ? "trust" : layer };
}

function policiesOf(layers: PolicyLayers<DraftPolicy>, name: LayerName): DraftPolicy[] {
  const policies: DraftPolicy[] = [];
  const only = {
    identity: [],
    resource: null,
    permissionsBoundary: null,
    session: null,
    serviceControl: null,
    resourceControl: null,
  };
  mapLayers({ ...only, [name]: layers[name] }, (policy) => policies.push(policy));
  return policies;
}

/** Returns the draft with the statement added to the first readable document of the layer. */
function addStatement(draft: Draft, layer: LayerName, statement: DraftStatement): Draft | null {
  const target = policiesOf(draft.layers, layer).find(({ document }) => document !== null);
  if (target === undefined) return null;
  const layers = mapLayers(draft.layers, (policy) => {
    if (policy !== target || policy.document === null) return policy;
    const { Statement } = policy.document;
    return { ...policy, document: { ...policy.document, Statement: [...Statement, statement] } };
  });
  return { ...draft, layers };
}

function statementFor(draft: Draft, random: Random, type: DocumentType): DraftStatement {
  return generateStatement(random, aimOf(draft), type);
}

function isOfResource(type: DocumentType): boolean {
  return type === "resource" || type === "trust";
}

function isPlain(text: string): boolean {
  return !/\$\{[^*?$]/.test(text);
}

function reordered(random: Random, statement: DraftStatement): DraftStatement {
  const entries = Object.entries({ ...statement, Sid: `x${random.int(9)}` }).map(
    ([name, value]): [string, unknown] => [
      name,
      Array.isArray(value)
        ? random.shuffle(value)
        : name === "Condition"
          ? reorderedCondition(random, value)
          : value,
    ],
  );
  return Object.fromEntries(random.shuffle(entries)) as unknown as DraftStatement;
}

function reorderedCondition(random: Random, condition: unknown): object {
  const operators = Object.entries(condition as Record<string, Record<string, string[]>>).map(
    ([operator, block]): [string, object] => [
      operator,
      Object.fromEntries(
        random.shuffle(Object.entries(block).map(([key, values]) => [key, random.shuffle(values)])),
      ),
    ],
  );
  return Object.fromEntries(random.shuffle(operators));
}

function reorderedKeys(draft: Draft, random: Random): Pick<Draft, "keys" | "context"> {
  const keys = new Map(
    random
      .shuffle([...draft.keys])
      .map(([key, { multivalued, values }]) => [
        key,
        { multivalued, values: random.shuffle(values) },
      ]),
  );
  return { keys, context: { ...draft.context, keys } };
}

function reorderedPolicies(
  layers: PolicyLayers<DraftPolicy>,
  random: Random,
): PolicyLayers<DraftPolicy> {
  return {
    ...layers,
    identity: random.shuffle(layers.identity),
    session: layers.session && random.shuffle(layers.session),
    serviceControl: layers.serviceControl?.map((level) => random.shuffle(level)) ?? null,
    resourceControl: layers.resourceControl?.map((level) => random.shuffle(level)) ?? null,
  };
}
