import fc from "fast-check";
import { expect, test } from "vitest";
import { A, document, refusals, several, wide } from "../../../../test/fakes/document-texts.ts";
import { parseSpiffeId } from "../../request/spiffe-id.ts";

const domain = wide(
  "TrustDomain",
  "td.example",
  `accounts: [{ namespace: shop, account: "${A}" }]`,
);
const provider = (name: string, spec: string, account = A) =>
  document(
    "OidcProvider",
    name,
    `url: https://login.example.com\ntokenKind: generic\naudiences: [mesh]\n${spec}`,
    `, account: "${account}"`,
  );

test.each([
  {
    why: "an upper-case trust domain",
    text: document("Workload", "w", "spiffeId: spiffe://TD.example/a"),
    want: [
      "a.yaml:5:13 Workload/w spec.spiffeId: expected a SPIFFE id like `spiffe://cluster.local/ns/shop/sa/orders`, got the text `spiffe://TD.example/a`",
    ],
  },
  {
    why: "a SPIFFE id with a dot segment",
    text: document("Workload", "w", "spiffeId: spiffe://td.example/a/../b"),
    want: [
      "a.yaml:5:13 Workload/w spec.spiffeId: expected a SPIFFE id like `spiffe://cluster.local/ns/shop/sa/orders`, got the text `spiffe://td.example/a/../b`",
    ],
  },
  {
    why: "a SPIFFE id of an unknown trust domain",
    text: document("Workload", "w", "spiffeId: spiffe://td.example/ns/shop/sa/a"),
    want: [
      "a.yaml:5:13 Workload/w spec.spiffeId: unknown trust domain `td.example`: expected a TrustDomain document",
    ],
  },
  {
    why: "FILE-22, a workload outside the account of its id",
    text: several(
      domain,
      document(
        "Workload",
        "w",
        "spiffeId: spiffe://td.example/ns/shop/sa/a",
        ', account: "444455556666"',
      ),
    ),
    want: [
      `a.yaml:11:13 Workload/w spec.spiffeId: expected a SPIFFE id of account \`444455556666\`, got one of account \`${A}\``,
    ],
  },
  {
    why: "FILE-22, a SPIFFE id that no row gives an account",
    text: several(domain, document("Workload", "w", "spiffeId: spiffe://td.example/ns/other/sa/a")),
    want: [
      `a.yaml:11:13 Workload/w spec.spiffeId: expected a SPIFFE id of account \`${A}\`, got one of no account`,
    ],
  },
  {
    why: "FILE-22, an id of a namespace's row that is no service account's",
    text: several(
      domain,
      document(
        "Workload",
        "w",
        "spiffeId: spiffe://td.example/ns/shop/job/a",
        ', account: "444455556666"',
      ),
    ),
    want: [
      `a.yaml:11:13 Workload/w spec.spiffeId: expected a SPIFFE id of account \`444455556666\`, got one of account \`${A}\``,
    ],
  },
  {
    why: "two workloads of one SPIFFE id",
    text: several(
      domain,
      document("Workload", "w", "spiffeId: spiffe://td.example/ns/shop/sa/a"),
      document("Workload", "v", "spiffeId: spiffe://td.example/ns/shop/sa/a"),
    ),
    want: [
      "a.yaml:17:13 Workload/v spec.spiffeId: the SPIFFE id `spiffe://td.example/ns/shop/sa/a` is already that of Workload/w at a.yaml:11:13",
    ],
  },
  {
    why: "two rows for the whole domain",
    text: wide(
      "TrustDomain",
      "td.example",
      `accounts: [{ account: "${A}" }, { account: "444455556666" }]`,
    ),
    want: [
      "a.yaml:5:43 TrustDomain/td.example spec.accounts[1]: `the whole domain` is already item 0",
    ],
  },
  {
    why: "a bundle fetched and pinned",
    text: wide("TrustDomain", "td.example", `bundle: { uri: https://x.example/, keys: [] }`),
    want: [
      "a.yaml:5:11 TrustDomain/td.example spec.bundle: expected exactly one of `uri`, `keys`, got `uri`, `keys`",
    ],
  },
  {
    why: "a trust domain in upper case",
    text: wide("TrustDomain", "Td.example", `audiences: [a]`),
    want: [
      "a.yaml:3:19 TrustDomain/Td.example metadata.name: expected a trust domain of lower-case letters, digits and `._-`, got the text `Td.example`",
    ],
  },
  {
    why: "FILE-9, a private key in a bundle",
    text: wide("TrustDomain", "td.example", `bundle: { keys: [{ kty: EC, d: AA }] }`),
    want: [
      "a.yaml:5:31 TrustDomain/td.example spec.bundle.keys[0]: expected a public key, got the private member `d`",
    ],
  },
  {
    why: "an issuer without TLS",
    text: document(
      "OidcProvider",
      "p",
      "url: http://login.example.com\ntokenKind: generic\naudiences: [mesh]",
    ),
    want: [
      "a.yaml:5:8 OidcProvider/p spec.url: expected an issuer that begins with `https://`, without query or fragment, got the text `http://login.example.com`",
    ],
  },
  {
    why: "FILE-21, no audience",
    text: document(
      "OidcProvider",
      "p",
      "url: https://login.example.com\ntokenKind: generic\naudiences: []",
    ),
    want: ["a.yaml:7:14 OidcProvider/p spec.audiences: expected a list of 1 to 100, got 0"],
  },
  {
    why: "a token kind of trust domains",
    text: document(
      "OidcProvider",
      "p",
      "url: https://login.example.com\ntokenKind: jwt-svid\naudiences: [mesh]",
    ),
    want: [
      "a.yaml:6:14 OidcProvider/p spec.tokenKind: expected one of `kubernetes`, `oidc-id`, `rfc9068`, `generic`, got the text `jwt-svid`",
    ],
  },
  {
    why: "FILE-21, neither kind nor audiences",
    text: document("OidcProvider", "p", "url: https://login.example.com"),
    want: [
      "a.yaml:5:3 OidcProvider/p spec: expected the member `tokenKind`",
      "a.yaml:5:3 OidcProvider/p spec: expected the member `audiences`",
    ],
  },
  {
    why: "a symmetric algorithm",
    text: provider("p", "algorithms: [HS256]"),
    want: [
      "a.yaml:8:16 OidcProvider/p spec.algorithms[0]: expected one of `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384`, `ES512`, `Ed25519`, `EdDSA`, got the text `HS256`, did you mean `RS256`?",
    ],
  },
  {
    why: "FILE-21, a typ of another kind than generic",
    text: document(
      "OidcProvider",
      "p",
      "url: https://login.example.com\ntokenKind: oidc-id\naudiences: [mesh]\ntyp: x",
    ),
    want: [
      "a.yaml:8:8 OidcProvider/p spec.typ: `typ` is for `tokenKind: generic` only: the other kinds fix it",
    ],
  },
  {
    why: "no way to the keys",
    text: provider("p", "jwks: {}"),
    want: [
      "a.yaml:8:9 OidcProvider/p spec.jwks: expected exactly one of `uri`, `keys`, `file`, got none",
    ],
  },
  {
    why: "keys fetched without TLS",
    text: provider("p", "jwks: { uri: http://login.example.com/keys }"),
    want: [
      "a.yaml:8:16 OidcProvider/p spec.jwks.uri: expected an address that begins with `https://`, or with `http://` on loopback, got the text `http://login.example.com/keys`",
    ],
  },
  {
    why: "keys of a host behind an `@` that looks like loopback",
    text: provider("p", "jwks: { uri: http://localhost:80@evil.example.com/keys }"),
    want: [
      "a.yaml:8:16 OidcProvider/p spec.jwks.uri: expected an address that begins with `https://`, or with `http://` on loopback, without credentials",
    ],
  },
  {
    why: "a password, which is not repeated",
    text: provider("p", "jwks: { uri: https://u:secret@login.example.com/keys }"),
    want: [
      "a.yaml:8:16 OidcProvider/p spec.jwks.uri: expected an address that begins with `https://`, or with `http://` on loopback, without credentials",
    ],
  },
  {
    why: "a port that is none",
    text: provider("p", "jwks: { uri: http://localhost:x/keys }"),
    want: [
      "a.yaml:8:16 OidcProvider/p spec.jwks.uri: expected an address that begins with `https://`, or with `http://` on loopback, got the text `http://localhost:x/keys`",
    ],
  },
  {
    why: "a symmetric key",
    text: provider("p", "jwks: { keys: [{ kty: oct, k: c2VjcmV0 }] }"),
    want: [
      "a.yaml:8:18 OidcProvider/p spec.jwks.keys[0]: expected a JWK with `kty` RSA, EC or OKP",
      "a.yaml:8:30 OidcProvider/p spec.jwks.keys[0]: expected a public key, got the private member `k`",
    ],
  },
  {
    why: "FILE-9, a private key",
    text: provider("p", "jwks: { keys: [{ kty: RSA, n: AA, e: AQAB, d: AA }] }"),
    want: [
      "a.yaml:8:46 OidcProvider/p spec.jwks.keys[0]: expected a public key, got the private member `d`",
    ],
  },
  {
    why: "a key file where no files are read",
    text: provider("p", "jwks: { file: keys.json }"),
    want: [
      "a.yaml:8:17 OidcProvider/p spec.jwks.file: `keys.json` cannot be read: no files are read here",
    ],
  },
  {
    why: "a key file by an absolute path",
    text: provider("p", "jwks: { file: /etc/keys.json }"),
    want: [
      "a.yaml:8:17 OidcProvider/p spec.jwks.file: expected a path inside the folder of documents, got `/etc/keys.json`",
    ],
  },
  {
    why: "a key file outside the folder",
    text: provider("p", "jwks: { file: ../keys.json }"),
    want: [
      "a.yaml:8:17 OidcProvider/p spec.jwks.file: expected a path inside the folder of documents, got `../keys.json`",
    ],
  },
  {
    why: "FILE-20, a second provider with rules",
    text: several(
      provider("p", `rules: [{ user: { account: "${A}", name: { claim: sub } } }]`),
      provider("q", `rules: [{ user: { account: "${A}", name: { claim: sub } } }]`, "444455556666"),
    ),
    want: [
      "a.yaml:14:8 OidcProvider/q spec.url: the issuer with rules `https://login.example.com` is already that of OidcProvider/p at a.yaml:5:8",
    ],
  },
  {
    why: "two providers of one issuer in one account",
    text: several(provider("p", ""), provider("q", "")),
    want: [
      `a.yaml:14:8 OidcProvider/q spec.url: the OIDC provider \`arn:aws:iam::${A}:oidc-provider/login.example.com\` is already that of OidcProvider/p at a.yaml:5:8`,
    ],
  },
  {
    why: "a rule for a user and a role",
    text: provider(
      "p",
      `rules: [{ user: { account: "${A}", name: { claim: a } }, role: { account: "${A}", name: { claim: a } } }]`,
    ),
    want: [
      "a.yaml:8:11 OidcProvider/p spec.rules[0]: expected exactly one of `user`, `role`, got `user`, `role`",
    ],
  },
  {
    why: "a condition without test",
    text: provider(
      "p",
      `rules: [{ when: { claim: a }, user: { account: "${A}", name: { claim: a } } }]`,
    ),
    want: [
      "a.yaml:8:19 OidcProvider/p spec.rules[0].when: expected exactly one of `equals`, `contains`, `matches`, `exists`, got none",
    ],
  },
  {
    why: "a rule for an unknown role",
    text: provider("p", `rules: [{ role: { account: "${A}", name: app } }]`),
    want: [
      `a.yaml:8:52 OidcProvider/p spec.rules[0].role.name: unknown role \`app\` in account \`${A}\``,
    ],
  },
  {
    why: "a rule for a misspelled user",
    text: several(
      provider("p", `rules: [{ user: { account: "${A}", name: bo } }]`),
      document("User", "bob", "{}"),
    ),
    want: [
      `a.yaml:8:52 OidcProvider/p spec.rules[0].user.name: unknown user \`bo\` in account \`${A}\`, did you mean \`bob\`?`,
    ],
  },
  {
    why: "a session name of one character",
    text: provider(
      "p",
      `rules: [{ role: { account: "${A}", name: { claim: a }, sessionName: x } }]`,
    ),
    want: [
      "a.yaml:8:79 OidcProvider/p spec.rules[0].role.sessionName: expected a session name of 2 to 64 letters, digits and `_+=,.@-`, got the text `x`",
    ],
  },
])("$why is refused", ({ text, want }) => {
  expect(refusals(text)).toEqual(want);
});

test("documents take the SPIFFE ids that a request's identity can have, and no others", () => {
  const segment = fc.stringMatching(/^[A-Za-z0-9._%-]{0,4}$/);
  const ids = fc
    .tuple(segment, fc.array(segment, { maxLength: 3 }))
    .map(([name, path]) => `spiffe://${name}/${path.join("/")}`);
  let taken = 0;
  fc.assert(
    fc.property(ids, (id) => {
      const accepted = !refusals(document("Workload", "w", `spiffeId: "${id}"`)).some((line) =>
        line.includes("expected a SPIFFE id like"),
      );
      expect(accepted).toBe(parseSpiffeId(id).ok);
      if (accepted) taken++;
    }),
    { numRuns: 300 },
  );
  expect(taken).toBeGreaterThan(0);
});
