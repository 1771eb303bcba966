import { describe, expect, test } from "vitest";
import { foldAscii } from "./ascii.ts";
import { keyCatalogue, lookUpKey } from "./context-keys.ts";

describe("the catalogue of condition keys", () => {
  test.each([
    [
      "aws:principalarn",
      { name: "aws:PrincipalArn", type: "arn", arity: "single", trust: "proven" },
    ],
    ["aws:principalorgpaths", { type: "string", arity: "multi" }],
    ["aws:principaltag/team", { name: "aws:PrincipalTag/", type: "string", arity: "single" }],
    ["aws:principaltag/a/b:c", { name: "aws:PrincipalTag/" }],
    ["aws:principaltag/__proto__", { name: "aws:PrincipalTag/" }],
    ["aws:tagkeys", { arity: "multi", trust: "client" }],
    ["aws:multifactorauthage", { type: "numeric", time: true }],
    ["aws:currenttime", { type: "date", time: true }],
    ["aws:epochtime", { type: "date", time: true }],
    ["aws:tokenissuetime", { type: "date", time: false }],
    ["aws:sourceip", { type: "ip", trust: "proven" }],
    ["aws:useragent", { trust: "client", filled: true }],
    ["aws:sourcevpc", { trust: "none", filled: false }],
    ["mesh:requestheader/x-channel", { name: "mesh:RequestHeader/", trust: "client" }],
    ["mesh:requestquerystring/a", { arity: "multi" }],
    ["mesh:jwtclaim/https://example.com/groups", { arity: "configured", trust: "proven" }],
    ["sts:transitivetagkeys", { arity: "multi" }],
    ["iam:resourcetag/k", { name: "iam:ResourceTag/" }],
  ])("%s", (key, want) => {
    expect(lookUpKey(key)).toMatchObject(want);
  });

  test.each([
    ["T-KEY-19 an unknown aws: key", "aws:foo"],
    ["T-KEY-19 an unknown mesh: key", "mesh:foo"],
    ["a tag without name", "aws:principaltag/"],
    ["the prefix without slash", "aws:principaltag"],
    ["a suffix on a plain key", "aws:username/x"],
    ["a registered service's key", "orders:channel"],
    ["an issuer's key", "login.example.com/x:sub"],
    ["T-KEY-13 authorization", "mesh:requestheader/authorization"],
    ["T-KEY-13 cookie", "mesh:requestheader/cookie"],
    ["T-KEY-13 proxy-authorization", "mesh:requestheader/proxy-authorization"],
    ["T-KEY-13 x-amz-security-token", "mesh:requestheader/x-amz-security-token"],
    ["T-KEY-13 a pseudo-header", "mesh:requestheader/:path"],
    ["POL-030 __proto__", "__proto__"],
    ["POL-030 constructor", "constructor"],
    ["a slash alone", "/"],
    ["nothing", ""],
  ])("does not know %s", (_why, key) => {
    expect(lookUpKey(key)).toBeNull();
  });

  test("every definition is found under its own name, once", () => {
    const names = keyCatalogue.map((definition) => foldAscii(definition.name));
    expect(new Set(names).size).toBe(names.length);
    for (const definition of keyCatalogue) {
      const suffix = definition.name.endsWith("/") ? "x" : "";
      expect(lookUpKey(foldAscii(definition.name) + suffix)).toBe(definition);
    }
  });
});

describe("ASCII folding", () => {
  test.each([
    ["AWS:UserName", "aws:username"],
    ["already lower", "already lower"],
    ["POL-005 \u212a \u017f \u0130 É", "pol-005 \u212a \u017f \u0130 É"],
    ["", ""],
  ])("%j", (text, want) => {
    expect(foldAscii(text)).toBe(want);
  });
});
