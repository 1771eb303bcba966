import { accountOf, arnOf, type Principal } from "../../iam/principal.ts";
import { headerOption } from "./header-option.ts";
import { encodeHeaderValue } from "./header-value.ts";
import { structEntry } from "./struct-entry.ts";

/** What an answer says of a principal, encoded once; null and empty where there is nothing to say. */
export interface PrincipalBlocks {
  /** The entry of `x-mesh-iam-account`. */
  readonly accountHeader: Buffer | null;
  /** The entries of `x-mesh-iam-principal`, `x-mesh-iam-revision`, `x-mesh-iam-session`, in this order. */
  headersAt(epoch: number, revision: number): Buffer;
  /** The names set on an allow. One array for each combination, so that it can be a key. */
  readonly names: readonly string[];
  /** Entries of the metadata. */
  readonly account: Buffer | null;
  readonly arn: Buffer | null;
}

// One frozen list for each combination of the three.
const nameLists: readonly (readonly string[])[] = Array.from({ length: 8 }, (_, bits) =>
  Object.freeze([
    ...((bits & 1) !== 0 ? ["x-mesh-iam-account"] : []),
    "x-mesh-iam-decision-id",
    ...((bits & 2) !== 0 ? ["x-mesh-iam-principal"] : []),
    "x-mesh-iam-revision",
    ...((bits & 4) !== 0 ? ["x-mesh-iam-session"] : []),
  ]),
);

// A principal lives as long as its token is cached; its blocks live with it.
const byPrincipal = new WeakMap<Principal, PrincipalBlocks>();

/** Returns the blocks of `principal`, made when it is first seen. */
export function blocksOf(principal: Principal): PrincipalBlocks {
  const known = byPrincipal.get(principal);
  if (known !== undefined) return known;
  const made = createBlocks(accountOf(principal), arnOf(principal), sessionOf(principal));
  byPrincipal.set(principal, made);
  return made;
}

/** The blocks of a caller who is nobody to the application. */
export const nobody = createBlocks(null, null, null);

function createBlocks(
  account: string | null,
  arn: string | null,
  session: string | null,
): PrincipalBlocks {
  const accountHeader = headerEntry("x-mesh-iam-account", account);
  const principalHeader = headerEntry("x-mesh-iam-principal", arn);
  const sessionHeader = headerEntry("x-mesh-iam-session", session);
  const bits =
    (accountHeader === null ? 0 : 1) +
    (principalHeader === null ? 0 : 2) +
    (sessionHeader === null ? 0 : 4);
  let revisionOf = [-1, -1];
  let headers = Buffer.alloc(0);
  return {
    accountHeader,
    headersAt(epoch, revision) {
      if (revisionOf[0] !== epoch || revisionOf[1] !== revision) {
        const revisionHeader = headerOption("x-mesh-iam-revision", `${epoch}.${revision}`);
        headers = Buffer.concat([
          principalHeader ?? nothing,
          revisionHeader,
          sessionHeader ?? nothing,
        ]);
        revisionOf = [epoch, revision];
      }
      return headers;
    },
    names: nameLists[bits] ?? [],
    account: account === null ? null : structEntry("account", account),
    arn: arn === null ? null : structEntry("principal_arn", arn),
  };
}

const nothing = Buffer.alloc(0);

function headerEntry(name: string, text: string | null): Buffer | null {
  const value = text === null ? null : encodeHeaderValue(text);
  return value === null ? null : headerOption(name, value);
}

function sessionOf(principal: Principal): string | null {
  if (principal.type === "assumed-role") return principal.sessionName;
  return principal.type === "federated-user" ? principal.name : null;
}
