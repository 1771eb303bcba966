import fc from "fast-check";
import { expect, test } from "vitest";
import { claimKeys } from "./claim-keys.ts";
import { claimsOf } from "./claims.ts";
import { parseJsonObject } from "./json-object.ts";

const lists = new Set(["aud", "amr", "groups", "roles", "scope"]);

function keysOf(json: string) {
  const parsed = parseJsonObject(json);
  const claims = parsed.ok ? claimsOf(parsed.value) : null;
  if (claims === null) throw new Error(json);
  return claimKeys("mesh:jwtclaim/", claims, lists);
}

const one = (text: string) => ({ multivalued: false, values: [text] });
const many = (...values: string[]) => ({ multivalued: true, values });

test.each([
  ["a text", '{"sub":"alice"}', "sub", one("alice")],
  ["a number by its source", '{"level":1.50}', "level", one("1.50")],
  ["a truth value", '{"email_verified":true}', "email_verified", one("true")],
  ["a list for a list (T-KEY-14)", '{"groups":["a","b"]}', "groups", many("a", "b")],
  ["a text for a list (T-KEY-14)", '{"groups":"a b"}', "groups", many("a b")],
  ["an empty list for a list", '{"groups":[]}', "groups", many()],
  ["a list of one for a text", '{"sub":["alice"]}', "sub", one("alice")],
  ["a list of mixed scalars", '{"roles":["a",1.0,true]}', "roles", many("a", "1.0", "true")],
  ["scope, between its spaces", '{"scope":"a  b c"}', "scope", many("a", "b", "c")],
  ["scope as a list", '{"scope":["a b"]}', "scope", many("a b")],
  ["an upper-case name", '{"Team":"x"}', "team", one("x")],
  ["a name with slash and colon", '{"https://a.example/b":"x"}', "https://a.example/b", one("x")],
  ["an empty text", '{"x":""}', "x", one("")],
  ["an object", '{"x":{"a":1}}', "x", undefined],
  ["a list that holds an object", '{"groups":["a",{}]}', "groups", undefined],
  ["a list that holds a list", '{"groups":[["a"]]}', "groups", undefined],
  ["null", '{"x":null}', "x", undefined],
])("mesh:JwtClaim of %s", (_why, json, name, want) => {
  const { keys, faults } = keysOf(json);
  expect(keys.get(`mesh:jwtclaim/${name}`)).toEqual(want);
  expect(faults).toBeNull();
});

test.each([
  ["two values for a text (T-KEY-14)", '{"team":["a","b"]}', "team"],
  ["no value for a text", '{"team":[]}', "team"],
  ["two names that differ in case", '{"team":"a","Team":"a"}', "team"],
  ["two names that differ in case, one an object", '{"team":{},"TEAM":"a"}', "team"],
  ["two names that differ in case, one a fault already", '{"team":["a","b"],"TEAM":"a"}', "team"],
])("KEY-9 a fault, and no value: %s", (_why, json, name) => {
  const { keys, faults } = keysOf(json);
  expect(keys.has(`mesh:jwtclaim/${name}`)).toBe(false);
  expect(faults?.get(`mesh:jwtclaim/${name}`)).toBe("evaluation-error");
});

test("a name is never folded beyond ASCII", () => {
  const { keys, faults } = keysOf('{"\u212a":"kelvin","k":"k"}');
  expect([...keys.keys()]).toEqual(["mesh:jwtclaim/\u212a", "mesh:jwtclaim/k"]);
  expect(faults).toBeNull();
});

test("whatever the claims, a key has a value or a fault, never both, and a single one has one text", () => {
  const names = fc.constantFrom("aud", "AUD", "sub", "Sub", "scope", "x", "__proto__");
  const claims = fc.dictionary(names, fc.jsonValue({ maxDepth: 2 }), { noNullPrototype: true });
  fc.assert(
    fc.property(claims, (members) => {
      const { keys, faults } = keysOf(JSON.stringify(members));
      for (const [key, value] of keys) {
        expect(faults?.has(key) ?? false).toBe(false);
        if (!value.multivalued) expect(value.values.length).toBe(1);
      }
    }),
  );
});
