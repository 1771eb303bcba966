import type { ContextValue, PolicyLayers } from "../../src/iam/request-context.ts";
import type { Draft, DraftDocument, DraftPolicy, DraftStatement } from "./draft.ts";

/**
 * Returns the smallest draft that still fails, reached by leaving out one thing at a time: a layer, a
 * policy, a statement, an element's entry, a context key. `fails` may throw; that counts as no.
 */
export function shrink(draft: Draft, fails: (draft: Draft) => boolean): Draft {
  const stillFails = (candidate: Draft): boolean => {
    try {
      return fails(candidate);
    } catch {
      return false; // left out too much: the loader refuses what remains
    }
  };
  let smallest = draft;
  for (;;) {
    const smaller = candidates(smallest).find(stillFails);
    if (smaller === undefined) return smallest;
    smallest = smaller;
  }
}

function candidates(draft: Draft): Draft[] {
  const withLayers = (layers: PolicyLayers<DraftPolicy>): Draft => ({ ...draft, layers });
  const withKeys = (keys: ReadonlyMap<string, ContextValue>): Draft => ({
    ...draft,
    keys,
    context: { ...draft.context, keys },
  });
  return [
    ...smallerLayers(draft.layers).map(withLayers),
    ...[...draft.keys.keys()].map((key) =>
      withKeys(new Map([...draft.keys].filter(([name]) => name !== key))),
    ),
    ...(draft.context.faults === null
      ? []
      : [{ ...draft, context: { ...draft.context, faults: null } }]),
  ];
}

function smallerLayers(layers: PolicyLayers<DraftPolicy>): PolicyLayers<DraftPolicy>[] {
  const { identity, resource, permissionsBoundary, session } = layers;
  const controls = (["serviceControl", "resourceControl"] as const).flatMap((type) => {
    const levels = layers[type];
    if (levels === null) return [];
    return [
      { ...layers, [type]: null },
      ...without(levels).flatMap((fewer) =>
        fewer.length > 0 ? [{ ...layers, [type]: fewer }] : [],
      ),
      ...levels.flatMap((level, index) =>
        smallerList(level).map((smaller) => ({ ...layers, [type]: levels.with(index, smaller) })),
      ),
    ];
  });
  return [
    ...controls,
    ...smallerList(identity).map((smaller) => ({ ...layers, identity: smaller })),
    ...smallerOne(resource).map((smaller) => ({ ...layers, resource: smaller })),
    ...smallerOne(permissionsBoundary).map((smaller) => ({
      ...layers,
      permissionsBoundary: smaller,
    })),
    ...(session === null ? [] : [{ ...layers, session: null }]),
    ...smallerList(session ?? []).flatMap((smaller) =>
      smaller.length > 0 ? [{ ...layers, session: smaller }] : [],
    ),
  ];
}

/** Returns the list without each of its entries in turn. */
function without<T>(list: readonly T[]): T[][] {
  return list.map((_, index) => list.toSpliced(index, 1));
}

function smallerList(policies: readonly DraftPolicy[]): DraftPolicy[][] {
  return [
    ...without(policies),
    ...policies.flatMap((policy, index) =>
      smallerPolicy(policy).map((smaller) => policies.with(index, smaller)),
    ),
  ];
}

function smallerOne(policy: DraftPolicy | null): (DraftPolicy | null)[] {
  return policy === null ? [] : [null, ...smallerPolicy(policy)];
}

function smallerPolicy({ id, document }: DraftPolicy): DraftPolicy[] {
  if (document === null) return [];
  const { Statement } = document;
  const fewer = without(Statement).filter((statements) => statements.length > 0);
  const smaller = Statement.flatMap((statement, index) =>
    smallerStatement(statement).map((each) => Statement.with(index, each)),
  );
  return [...fewer, ...smaller].map((statements): DraftPolicy => {
    const kept: DraftDocument = { ...document, Statement: statements };
    return { id, document: kept };
  });
}

const lists = ["Action", "NotAction", "Resource", "NotResource"] as const;

function smallerStatement(statement: DraftStatement): DraftStatement[] {
  const { Condition, Sid, ...rest } = statement;
  const conditions = Object.entries(Condition ?? {});
  return [
    ...(Sid === undefined ? [] : [{ ...statement, Sid: "" }].map(({ Sid: _, ...plain }) => plain)),
    ...(Condition === undefined ? [] : [rest]),
    ...(conditions.length > 1
      ? without(conditions).map((kept) => ({ ...statement, Condition: Object.fromEntries(kept) }))
      : []),
    ...lists.flatMap((name) => {
      const entries = statement[name] ?? [];
      return entries.length > 1
        ? without(entries).map((kept) => ({ ...statement, [name]: kept }))
        : [];
    }),
  ];
}
