import type { TrustDomain } from "./model.ts";

/** Namespace → account, the row of the whole domain under null. */
export type TrustTable = ReadonlyMap<string | null, string>;

/** Returns the table of a trust domain for lookups. */
export function trustTableOf({ accounts }: Pick<TrustDomain, "accounts">): TrustTable {
  return new Map(accounts.map(({ namespace, account }) => [namespace, account]));
}

/**
 * Returns the account of a SPIFFE id: that of its namespace's row, else that of the domain's row, else
 * null (PRIN-9, longest match). `namespace` null: the id has none.
 */
export function accountOfNamespace(table: TrustTable, namespace: string | null): string | null {
  const own = namespace === null ? undefined : table.get(namespace);
  return own ?? table.get(null) ?? null;
}
