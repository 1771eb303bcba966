import { expect, test } from "vitest";
import { providers } from "../../../test/corpus/attack/jwt/world.ts";
import { claimsOf } from "../credentials/claims.ts";
import { parseJsonObject } from "../credentials/json-object.ts";
import type { ClaimTest, OidcProvider, ProviderRule } from "../directory/model.ts";
import { firstRule, textFor } from "./provider-rules.ts";

function claimsFrom(json: string) {
  const parsed = parseJsonObject(json);
  const claims = parsed.ok ? claimsOf(parsed.value) : null;
  if (claims === null) throw new Error(json);
  return claims;
}

/** True if a rule with this test holds; the claims `list` and `scope` are declared lists, `c` is not. */
function holds(test: ClaimTest["test"], value: string, json: string): boolean {
  const claim = ["list", "scope"].find((name) => json.includes(`"${name}"`)) ?? "c";
  const rules: ProviderRule[] = [{ when: { claim, test, value }, user: null, role: null }];
  const provider: OidcProvider = {
    ...providers.generic,
    rules,
    multivaluedClaims: ["list", "scope"],
  };
  return firstRule(provider, claimsFrom(json)) !== null;
}

test.each([
  ["equals", "a", '{"c":"a"}', true],
  ["equals", "a", '{"c":"A"}', false],
  ["equals", "a", '{"c":["a"]}', true],
  ["equals", "a", '{"c":["a","b"]}', false],
  ["equals", "true", '{"c":true}', true],
  ["equals", "1", '{"c":1}', true],
  ["equals", "1", '{"c":1.0}', false],
  ["equals", "a", '{"c":{"a":1}}', false],
  ["equals", "", '{"c":""}', true],
  ["equals", "", "{}", false],
  ["equals", "null", '{"c":null}', false],
  ["equals", "a", '{"list":["a"]}', true],
  ["equals", "a", '{"list":["a","b"]}', false],
  ["contains", "b", '{"list":["a","b"]}', true],
  ["contains", "b", '{"c":["a","b"]}', true],
  ["contains", "b", '{"list":"b"}', true],
  ["contains", "b", '{"list":"a b"}', false],
  ["contains", "b", '{"scope":"a b"}', true],
  ["contains", "b", '{"c":"abc"}', false],
  ["contains", "b", '{"list":[]}', false],
  ["contains", "b", "{}", false],
  ["matches", "a*", '{"c":"abc"}', true],
  ["matches", "a?", '{"c":"abc"}', false],
  ["matches", "*", '{"c":""}', true],
  ["matches", "*", "{}", false],
  ["matches", "*", '{"c":{}}', false],
  ["matches", "*@ours", '{"list":["x@theirs","y@ours"]}', true],
  ["matches", "*@ours", '{"c":["x@theirs","y@ours"]}', false],
  ["matches", "a*", '{"c":"a\\nb"}', true],
  ["exists", "true", '{"c":{}}', true],
  ["exists", "true", '{"c":null}', false],
  ["exists", "true", "{}", false],
  ["exists", "false", "{}", true],
  ["exists", "false", '{"c":""}', false],
] as const)("%s %s of %s: %s", (test, value, json, want) => {
  expect(holds(test, value, json)).toBe(want);
});

test.each([
  ['{"c":"bob"}', "bob"],
  ['{"c":"*"}', "*"],
  ['{"c":["bob"]}', "bob"],
  ['{"c":["bob","eve"]}', null],
  ['{"c":[]}', null],
  ['{"c":42}', "42"],
  ['{"c":0}', "0"],
  ['{"c":42.0}', null],
  ['{"c":4.2e1}', null],
  ['{"c":-1}', null],
  ['{"c":12345678901234567}', null],
  ['{"c":true}', null],
  ['{"c":{"name":"bob"}}', null],
  ['{"c":null}', null],
  ["{}", null],
])("the name in %s is %s", (json, want) => {
  expect(textFor({ type: "claim", claim: "c" }, claimsFrom(json))).toBe(want);
});

test("a text needs no claim", () => {
  expect(textFor({ type: "text", text: "app" }, new Map())).toBe("app");
});

test("a pattern of wildcards against a long claim ends", () => {
  expect(holds("matches", "*a*a*a*a*b", JSON.stringify({ c: "a".repeat(10_000) }))).toBe(false);
});
