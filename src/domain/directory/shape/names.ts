import { quote } from "../../../iam/problem.ts";
import { canonicalHost } from "../../request/canonical-host.ts";
import { fetchAddressPattern, fetchAddressWords } from "../../request/fetch-address.ts";
import { refuseAt } from "../document-problem.ts";
import { text } from "./scalars.ts";
import type { Shape } from "./shape.ts";

/** The grammars of names. Where AWS has one it is AWS's (iam-semantics 2.5; IAM API reference). */

export const accountId: Shape<string> = text("an account id of 12 digits", /^[0-9]{12}$/, 12);

/** Returns the shape of names of users, roles, groups and policies of at most `max` characters. */
export function entityName(max: number): Shape<string> {
  const expected = `a name of 1 to ${max} letters, digits and \`_+=,.@-\``;
  return text(expected, /^[\w+=,.@-]+$/, max);
}

/** What AWS takes as `RoleSessionName` and as source identity (STS API Reference, AssumeRole). */
export const sessionNamePattern = /^[\w+=,.@-]{2,64}$/;

export const sessionName: Shape<string> = text(
  "a session name of 2 to 64 letters, digits and `_+=,.@-`",
  sessionNamePattern,
  64,
);

/** Names for people: anything that prints. */
export const displayName: Shape<string> = text(
  "a name of 1 to 128 characters without control characters",
  /^[^\p{C}\p{Z}]([^\p{C}]*[^\p{C}\p{Z}])?$/u,
  128,
);

/** An OU's own name; a slash would read as a path (FILE-4). */
export const unitName: Shape<string> = text(
  "a name of 1 to 128 characters without slashes or control characters",
  /^[^\p{C}\p{Z}/]([^\p{C}/]*[^\p{C}\p{Z}/])?$/u,
  128,
);

/** The place of an OU: `/` is the root. */
export const unitPath: Shape<string> = text(
  "the path of an organizational unit like `/prod/eu`, or `/` for the root",
  /^\/([^/]+(\/[^/]+)*)?$/,
  1024,
);

/** A path of IAM, be it reserved or not. */
export const anyPath: Shape<string> = text(
  "a path of at most 512 visible characters that begins and ends with `/`",
  /^\/([!-~]*\/)?$/,
  512,
);

/** `metadata.path`; reserved ones are refused (SSO-1), in any case. */
export const path: Shape<string> = {
  ...anyPath,
  read: (node, place, report) => {
    const value = anyPath.read(node, place, report);
    const reserved = reservedPaths.find((prefix) => value?.toLowerCase().startsWith(prefix));
    if (value === undefined || reserved === undefined) return value;
    const message = `the path ${quote(reserved)} can be written by the control plane only`;
    refuseAt(report, place, "RESERVED_NAME", message);
    return undefined;
  },
};

const reservedPaths = ["/aws-reserved/", "/aws-service-role/"];

/** True of the paths that only the control plane writes (SSO-1). */
export function isReservedPath(value: string): boolean {
  return reservedPaths.some((prefix) => value.toLowerCase().startsWith(prefix));
}

/** What `parseSpiffeId` accepts, as editors can check it. */
export const spiffeId: Shape<string> = text(
  "a SPIFFE id like `spiffe://cluster.local/ns/shop/sa/orders`",
  /^spiffe:\/\/[a-z0-9._-]{1,255}(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._-]+)+$/,
  2048,
);

/** A trust domain, as it stands in SPIFFE ids. */
export const trustDomain: Shape<string> = text(
  "a trust domain of lower-case letters, digits and `._-`",
  /^[a-z0-9._-]+$/,
  255,
);

/** A namespace of Kubernetes (RFC 1123 label). */
export const namespace: Shape<string> = text(
  "a namespace of lower-case letters, digits and `-`",
  /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
  63,
);

/** A value of `aud`. */
export const audience: Shape<string> = text(
  "an audience without control characters",
  /^[^\p{Cc}]+$/u,
  1024,
);

const anyFetchAddress = text(fetchAddressWords, fetchAddressPattern, 2048);

/** An address to fetch from. */
export const fetchAddress: Shape<string> = {
  ...anyFetchAddress,
  read: (node, place, report) => {
    const mayHoldSecret = node.type === "text" && node.text.includes("@");
    if (!mayHoldSecret || fetchAddressPattern.test(node.text)) {
      return anyFetchAddress.read(node, place, report);
    }
    // what stands before an `@` may be a password: it is not repeated
    const message = `expected ${fetchAddressWords}, without credentials`;
    refuseAt(report, place, "INVALID_VALUE", message);
    return undefined;
  },
};

/** A header's name in lower case (RFC 9110, 5.1). */
export const headerName: Shape<string> = text(
  "the name of a header in lower case",
  /^[!#$%&'*+.^_`|~0-9a-z-]+$/,
  128,
);

const anyHost = text("a host in lower case, without port", /^[a-z0-9._:[\]-]+$/, 253);

/** A host in the canonical form in which requests are compared with it (envoy-ext-authz 4.3). */
export const hostName: Shape<string> = {
  ...anyHost,
  read: (node, place, report) => {
    const value = anyHost.read(node, place, report);
    if (value === undefined) return undefined;
    const canonical = canonicalHost(value);
    if (canonical?.host === value && canonical.port === null) return value;
    refuseAt(report, place, "INVALID_VALUE", `expected ${anyHost.expected}, got ${quote(value)}`);
    return undefined;
  },
};
