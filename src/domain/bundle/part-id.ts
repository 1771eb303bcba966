import { PartKind } from "../../gen/meshiam/bundle/v1/manifest_pb.ts";

/** How an account's principals and managed policies are divided: by the first six bits of a digest. */
export const bucketBits = 6;
const buckets = 1 << bucketBits;
const revocationBuckets = 16;

/** The address of a part inside its slice (control-plane 2.2). */
export type PartId =
  | { readonly type: "organization" }
  | { readonly type: "providers" }
  | { readonly type: "sts-keys" }
  | { readonly type: "revocations" }
  | { readonly type: "revocation-bucket"; readonly bucket: number }
  | { readonly type: "service"; readonly account: string; readonly name: string }
  | { readonly type: "account-index"; readonly account: string }
  | { readonly type: "principal-bucket"; readonly account: string; readonly bucket: number }
  | { readonly type: "policy-group"; readonly account: string; readonly bucket: number };

/** Returns the text of `id`, as manifests and indexes spell it. */
export function formatPartId(id: PartId): string {
  switch (id.type) {
    case "organization":
    case "providers":
    case "sts-keys":
    case "revocations":
      return id.type;
    case "revocation-bucket":
      return `revocations/${id.bucket}`;
    case "service":
      return `service/${id.account}/${id.name}`;
    case "account-index":
      return `account/${id.account}/index`;
    case "principal-bucket":
      return `account/${id.account}/bucket/${id.bucket}`;
    case "policy-group":
      return `account/${id.account}/policies/${id.bucket}`;
  }
}

/** Returns the kind that a part under `id` has: the two are declared together. */
export function kindOf(id: PartId): PartKind {
  switch (id.type) {
    case "organization":
      return PartKind.ORGANIZATION;
    case "providers":
      return PartKind.PROVIDERS;
    case "sts-keys":
      return PartKind.STS_KEYS;
    case "revocations":
    case "revocation-bucket":
      return PartKind.REVOCATIONS;
    case "service":
      return PartKind.SERVICE;
    case "account-index":
      return PartKind.ACCOUNT_INDEX;
    case "principal-bucket":
      return PartKind.PRINCIPAL_BUCKET;
    case "policy-group":
      return PartKind.POLICY_GROUP;
  }
}

/** Returns the address that `text` spells, null for any other text. One spelling an address. */
export function parsePartId(text: string): PartId | null {
  const [first = "", account = "", third = "", number = "", ...rest] = text.split("/");
  const id = read(first, account, third, number);
  return id !== null && rest.length === 0 && formatPartId(id) === text ? id : null;
}

function read(first: string, account: string, third: string, number: string): PartId | null {
  switch (first) {
    case "organization":
    case "providers":
    case "sts-keys":
      return { type: first };
    case "revocations": {
      if (account === "") return { type: "revocations" };
      const bucket = below(account, revocationBuckets);
      return bucket === null ? null : { type: "revocation-bucket", bucket };
    }
    case "service":
      return account === "" || third === "" ? null : { type: "service", account, name: third };
    case "account":
      return account === "" ? null : readAccountPart(account, third, number);
    default:
      return null;
  }
}

function readAccountPart(account: string, third: string, number: string): PartId | null {
  if (third === "index") return { type: "account-index", account };
  const bucket = below(number, buckets);
  if (bucket === null) return null;
  if (third === "bucket") return { type: "principal-bucket", account, bucket };
  return third === "policies" ? { type: "policy-group", account, bucket } : null;
}

function below(text: string, limit: number): number | null {
  const value = Number(text);
  return text !== "" && Number.isInteger(value) && value >= 0 && value < limit ? value : null;
}
