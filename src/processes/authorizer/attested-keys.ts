import type { ContextValue, KeyFault } from "../../iam/request-context.ts";

/** Facts that a request proves beyond its principal: claims of the token, identity of the peer. */
export interface AttestedKeys {
  /** Returns the value of a key (lower-cased), or why it has none; undefined for any other key. */
  read(keyLower: string): ContextValue | KeyFault | undefined;
}

interface Facts {
  readonly keys: ReadonlyMap<string, ContextValue>;
  readonly faults: ReadonlyMap<string, KeyFault> | null;
}

/**
 * Returns the keys that begin with `prefix` of what `make` finds. It is called when one of them is
 * first asked for: most policies read none, and a token may have hundreds of claims.
 */
export function attestedKeys(prefix: string, make: () => Facts): AttestedKeys {
  let facts: Facts | null = null;
  return {
    read(keyLower) {
      if (!keyLower.startsWith(prefix)) return undefined;
      facts ??= make();
      return facts.keys.get(keyLower) ?? facts.faults?.get(keyLower);
    },
  };
}
