import { expect, test } from "vitest";
import { document } from "../../../../test/fakes/document-texts.ts";
import { formatDocumentProblem } from "../document-problem.ts";
import { type DocumentFile, readDocuments } from "../documents.ts";
import { pathBeside } from "./jwks.ts";

const provider = (file: string) =>
  document(
    "OidcProvider",
    "login",
    `url: https://login.example.com\ntokenKind: generic\naudiences: [mesh]\njwks: { file: ${file} }`,
  );
const keySet = '{ "keys": [ { "kty": "EC", "kid": "a", "crv": "P-256", "x": "AA", "y": "AA" } ] }';
const stored = '{"keys":[{"kty":"EC","kid":"a","crv":"P-256","x":"AA","y":"AA"}]}';

const asked = (files: readonly DocumentFile[], content: string) => {
  const paths: string[] = [];
  const loaded = readDocuments(files, {
    readFile: (path) => {
      paths.push(path);
      return { ok: true, value: content };
    },
  });
  return { loaded, paths };
};

test("FILE-21: keys of a file are inlined, and the file is a dependency", () => {
  const { loaded, paths } = asked(
    [{ path: "people/login.yaml", text: provider("keys/a.json") }],
    keySet,
  );
  expect(paths).toEqual(["people/keys/a.json"]);
  expect(loaded.dependencies).toEqual(["people/keys/a.json"]);
  expect(loaded).toMatchObject({
    ok: true,
    value: { oidcProviders: [{ keys: { type: "keys", json: stored } }] },
  });
});

test("a key set that lies among the documents is read from there, and is no document", () => {
  const files = [
    { path: "keys.json", text: keySet },
    { path: "login.yaml", text: provider("./keys.json") },
  ];
  const { loaded, paths } = asked(files, "not asked for");
  expect(paths).toEqual([]);
  expect(loaded).toMatchObject({
    ok: true,
    dependencies: ["keys.json"],
    value: { oidcProviders: [{ keys: { type: "keys", json: stored } }] },
  });
});

test("the dependencies of refused documents are told too", () => {
  const text = `${provider("keys.json")}---\n${document("User", "bob", "groups: [none]")}`;
  expect(readDocuments([{ path: "a.yaml", text }])).toMatchObject({
    ok: false,
    dependencies: ["keys.json"],
  });
});

test.each([
  {
    why: "no JSON",
    content: '{"keys": []} x',
    want: [expect.stringMatching(/^keys\.json:1:14 OidcProvider\/login: not valid YAML: /)],
  },
  {
    why: "a doubled key",
    content: '{"keys":[],"keys":[]}',
    want: ["keys.json:1:12 OidcProvider/login: the key `keys` is already at 1:2"],
  },
  {
    why: "no key set",
    content: "[]",
    want: [
      "a.yaml:8:17 OidcProvider/login spec.jwks.file: expected a JWK Set with the member `keys` in `keys.json`",
    ],
  },
  {
    why: "nothing",
    content: "",
    want: [
      "a.yaml:8:17 OidcProvider/login spec.jwks.file: expected a JWK Set with the member `keys` in `keys.json`",
    ],
  },
  {
    why: "FILE-9, a private key",
    content: '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA","d":"c2VjcmV0"}]}',
    want: [
      "keys.json:1:48 OidcProvider/login keys[0]: expected a public key, got the private member `d`",
    ],
  },
])("a key file is refused for $why", ({ content, want }) => {
  const { loaded } = asked([{ path: "a.yaml", text: provider("keys.json") }], content);
  expect(loaded.ok ? [] : loaded.problems.map(formatDocumentProblem)).toEqual(want);
});

const user = document(
  "User",
  "bob",
  `policies: [{ policyName: no, policyDocument: { Version: "2012-10-17", Statement: [{ Effect: Deny, Action: "*", Resource: "*" }] } }]`,
);
const other = provider("a.yaml").replaceAll("login", "other");
const refusal = (at: string, name: string, from: string) =>
  `${at} OidcProvider/${name}: expected a JWK Set, got a document with \`apiVersion\`: at ${from} name a file that holds nothing but the keys`;

test.each([
  {
    why: "names itself",
    files: [{ path: "a.yaml", text: `${provider("a.yaml")}---\n${user}` }],
    want: [refusal("a.yaml:1:1", "login", "a.yaml:8:17")],
  },
  {
    why: "is named by another",
    files: [
      { path: "a.yaml", text: provider("b.yaml") },
      { path: "b.yaml", text: user },
    ],
    want: [refusal("b.yaml:1:1", "login", "a.yaml:8:17")],
  },
  {
    why: "is named by one that it names",
    files: [
      { path: "a.yaml", text: provider("b.yaml") },
      { path: "b.yaml", text: `${other}---\n${user}` },
    ],
    want: [
      refusal("a.yaml:1:1", "other", "b.yaml:8:17"),
      refusal("b.yaml:1:1", "login", "a.yaml:8:17"),
    ],
  },
  {
    why: "looks like a key set but for its kind",
    files: [
      { path: "a.yaml", text: provider("b.yaml") },
      { path: "b.yaml", text: `${user.replace("User", "Usr")}keys: []\n` },
    ],
    want: [refusal("b.yaml:1:1", "login", "a.yaml:8:17")],
  },
])("a file of documents that $why is no key set: no Deny in it vanishes", ({ files, want }) => {
  const loaded = readDocuments(files);
  expect(loaded.ok ? [] : loaded.problems.map(formatDocumentProblem)).toEqual(want);
});

test("the limits of the run hold for key files too", () => {
  const files = [{ path: "a.yaml", text: provider("keys.json") }];
  const readFile = () => ({ ok: true, value: keySet + " ".repeat(1_000) }) as const;
  const limits = { maxFileBytes: 1_000 };
  expect(readDocuments(files, { readFile })).toMatchObject({ ok: true });
  expect(readDocuments(files, { readFile, limits })).toMatchObject({
    ok: false,
    problems: [{ file: "keys.json" }],
  });
});

test("a key file that cannot be read refuses the run, with the reason", () => {
  const loaded = readDocuments([{ path: "a.yaml", text: provider("keys.json") }], {
    readFile: () => ({ ok: false, code: "x", message: "it is a link out of the folder" }),
  });
  expect(loaded.ok ? [] : loaded.problems.map(formatDocumentProblem)).toEqual([
    "a.yaml:8:17 OidcProvider/login spec.jwks.file: `keys.json` cannot be read: it is a link out of the folder",
  ]);
});

test("no message holds what is in a key file", () => {
  const secret = "c2VjcmV0LWNhbmFyeQ";
  const content = `{"keys":[{"kty":"oct","k":"${secret}"}]}`;
  const { loaded } = asked([{ path: "a.yaml", text: provider("keys.json") }], content);
  expect(loaded.ok).toBe(false);
  expect(JSON.stringify(loaded)).not.toContain(secret);
});

test.each([
  ["a.yaml", "k.json", "k.json"],
  ["x/a.yaml", "k.json", "x/k.json"],
  ["x/y/a.yaml", "../k.json", "x/k.json"],
  ["x/a.yaml", "./z//k.json", "x/z/k.json"],
  ["x/a.yaml", "../../k.json", null],
  ["a.yaml", "../a/k.json", null],
  ["a.yaml", "/etc/passwd", null],
])("beside %s %s is %s", (from, target, path) => {
  expect(pathBeside(from, target)).toBe(path);
});
