import { describe, expect, test } from "vitest";
import { credentialReasons } from "../../../iam/reason.ts";
import { certificateNames, isAllowed, rows, tokenNames } from "./rows.ts";

test("the table shows what the quickstart promises", () => {
  expect(rows.length).toBeGreaterThanOrEqual(24);
  const reasons = new Set(rows.map(({ reason }) => reason));
  for (const reason of [
    ...["identity-policy", "implicit-deny", "explicit-deny", "scp", "permissions-boundary"],
    ...["unauthenticated", "token-expired", "token-audience", "token-key", "token-signature"],
    ...["principal-not-mapped", "route-not-found", "ambiguous-path", "shadow-mode"],
    "authentication-not-required",
  ]) {
    expect(reasons, reason).toContain(reason);
  }
  const allowed = (matches: (row: (typeof rows)[number]) => boolean) =>
    rows.some((row) => isAllowed(row) && matches(row));
  expect(allowed(({ principal }) => principal?.includes(":user/") === true)).toBe(true);
  expect(
    allowed(({ principal }) => principal?.includes("111122223333:assumed-role/") === true),
  ).toBe(true);
  expect(
    allowed(({ principal }) => principal?.includes("444455556666:assumed-role/") === true),
  ).toBe(true);
  expect(allowed(({ principal }) => principal?.includes(":workload/") === true)).toBe(true);
  expect(allowed(({ token, certificate }) => token !== null && certificate !== null)).toBe(true);
  expect(allowed(({ headers }) => "x-mesh-iam-principal" in headers)).toBe(true);
  expect(rows.filter(({ grpc }) => grpc).map(({ status }) => status)).toEqual([0, 7]);
});

test("callers are told apart and fit the table", () => {
  const callers = rows.map(({ caller }) => caller);
  expect(new Set(callers).size).toBe(callers.length);
  expect(Math.max(...callers.map((caller) => caller.length))).toBeLessThanOrEqual(27);
});

test("every token and certificate is used", () => {
  expect(new Set(rows.map(({ token }) => token).filter((token) => token !== null))).toEqual(
    new Set(tokenNames),
  );
  expect(
    new Set(rows.map(({ certificate }) => certificate).filter((name) => name !== null)),
  ).toEqual(new Set(certificateNames));
});

describe.each(rows)("$caller, $method $path", (row) => {
  test("its status is what its reason is answered with", () => {
    const { grpc, status, reason } = row;
    if (isAllowed(row)) expect(status).toBe(grpc ? 0 : 200);
    else if (credentialReasons.has(reason)) expect(status).toBe(grpc ? 16 : 401);
    else if (reason.startsWith("ambiguous-")) expect(status).toBe(grpc ? 3 : 400);
    else expect(status).toBe(grpc ? 7 : 403);
  });

  test("it says whom the application sees: whoever shows a credential, else nobody", () => {
    const { token, certificate, principal } = row;
    const isSomebody = isAllowed(row) && (token !== null || certificate !== null);
    expect(principal === null).toBe(!isSomebody);
  });
});
