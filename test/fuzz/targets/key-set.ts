import { defaultKeySetLimits, loadKeySet } from "../../../src/adapters/keys/key-set.ts";
import { must, type Target, textOf } from "../target.ts";

/** FUZ-12: a JWK set or a SPIFFE trust bundle. */
export const keySet: Target = {
  name: "key-set",
  id: "FUZ-12",
  about: "`j` or `s` for the form, and a key set",
  words: [
    '"kty":"RSA"',
    '"crv":"P-256"',
    '"use":"sig"',
    '"x5c":["',
    '"key_ops":["verify"]',
    '"e":"AQAB"',
    '"spiffe_sequence":1',
  ],
  async fuzz(data) {
    const form = data[0] === 0x73 ? "spiffe" : "jwks";
    const loaded = await loadKeySet(textOf(data.subarray(1)), form, defaultKeySetLimits, null);
    if (!loaded.ok) return;
    const { all, byId } = loaded.value.keys;
    const ambiguous = [...byId.values()].filter((key) => key === "ambiguous");
    must(
      ambiguous.length === 0 || all.every(({ id }) => byId.get(id ?? "") !== "ambiguous"),
      "no key of an ambiguous id verifies",
    );
  },
};
