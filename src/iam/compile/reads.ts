import type { EngineLayers } from "./layers.ts";
import { candidatesFor, type PolicySet } from "./policy-set.ts";

/** As many answers a set of layers remembers; see `policy-set.ts`. */
const maxRememberedActions = 1024;

const remembered = new WeakMap<EngineLayers, Map<string, readonly string[]>>();

/**
 * Returns the condition keys that a decision about `action` can read: lower-cased, sorted, frozen,
 * of every layer, whether it counts for a caller or not. A superset of what any one request reads:
 * good for filling keys and for caching, never for refusing a request.
 * One look-up but for the first time.
 */
export function readSet(layers: EngineLayers, action: string): readonly string[] {
  let byAction = remembered.get(layers);
  if (byAction === undefined) {
    byAction = new Map();
    remembered.set(layers, byAction);
  }
  const known = byAction.get(action);
  if (known !== undefined) return known;
  const keys = new Set<string>();
  for (const set of setsOf(layers))
    for (const key of candidatesFor(set, action).reads) keys.add(key);
  const sorted = Object.freeze([...keys].sort());
  if (byAction.size >= maxRememberedActions) byAction.clear();
  byAction.set(action, sorted);
  return sorted;
}

function setsOf(layers: EngineLayers): readonly PolicySet[] {
  const { identity, resource, permissionsBoundary, session } = layers;
  const single = [identity, resource, permissionsBoundary, session].filter((set) => set !== null);
  return [...single, ...(layers.serviceControl ?? []), ...(layers.resourceControl ?? [])];
}
