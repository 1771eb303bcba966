import type { Kind } from "../state/entity.ts";
import { base32 } from "../unique-id.ts";

/** AWS's prefixes of unique ids, and ours where AWS has no such object (control-plane 3.11). */
const prefixes: Readonly<Record<Exclude<Kind, "account">, string>> = {
  organization: "o-",
  organizationalUnit: "ou-",
  serviceControlPolicy: "p-",
  resourceControlPolicy: "p-",
  user: "AIDA",
  group: "AGPA",
  role: "AROA",
  workload: "AWLD",
  managedPolicy: "ANPA",
  permissionSet: "ps-",
  permissionSetAssignment: "psa-",
  oidcProvider: "AOIP",
  trustDomain: "td-",
  service: "svc-",
};

/** Returns a unique id that was never given out: of an account 12 digits. */
export type NewId = (kind: Kind) => string;

/**
 * Returns the maker of unique ids over `random`, which returns that many fresh random bytes. 120 bits a
 * name, so an id does not come twice; an account number has 40 and is checked by who creates one.
 */
export function createNewId(random: (bytes: number) => Uint8Array): NewId {
  return (kind) => {
    if (kind === "account") return accountNumber(random(5));
    const text = base32(random(15));
    const prefix = prefixes[kind];
    return prefix + (prefix.endsWith("-") ? text.toLowerCase() : text);
  };
}

function accountNumber(bytes: Uint8Array): string {
  const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  // No leading zero: it would be lost by whoever takes the number for one.
  return String(100_000_000_000 + (value % 900_000_000_000));
}
