import { expect, test } from "vitest";
import type { TokenVerifier } from "../../../../src/domain/credentials/authenticate.ts";
import { recheckToken, verifyToken } from "../../../../src/domain/credentials/jwt.ts";
import { isDenied } from "../../../../src/domain/request/denied.ts";
import {
  createWorld,
  domains,
  judge,
  mint,
  now,
  nowMs,
  provider,
  svidA,
  type World,
} from "./world.ts";

const hourMs = 3_600_000;

/** A cache that remembers for ever: what is behind it has to do without its help. */
function remembering(world: World): TokenVerifier {
  const known = new Map<string, ReturnType<TokenVerifier>>();
  return (token, atMs) => {
    const hit = known.get(token);
    if (hit !== undefined) return hit;
    const verified = verifyToken(token, world.issuers, atMs);
    if (isDenied(verified)) return verified;
    known.set(token, verified.credential);
    return verified.credential;
  };
}

function replay(token: string, world = createWorld()): (atMs: number, later?: World) => string {
  const verify = remembering(world);
  return (atMs, later = world) => {
    const result = judge({ authorization: [`Bearer ${token}`] }, later, {}, atMs, verify);
    return isDenied(result) ? result.reason : "accept";
  };
}

test("JWT-182 the clock steps back an hour while the token is cached", () => {
  const at = replay(mint("generic"));
  expect(at(nowMs)).toBe("accept");
  expect(at(nowMs - hourMs)).toBe("token-time");
  // iat is ten seconds ago, the skew a minute.
  expect(at(nowMs - 70_000)).toBe("accept");
  expect(at(nowMs - 70_001)).toBe("token-time");
});

test("JWT-183 the clock steps a day forward while the token is cached", () => {
  const at = replay(mint("generic"));
  expect(at(nowMs)).toBe("accept");
  expect(at(nowMs + 24 * hourMs)).toBe("token-expired");
});

test("JWT-184 a cached token ends at exp and skew, not a millisecond later", () => {
  const at = replay(mint("generic"));
  expect(at(nowMs)).toBe("accept");
  expect(at(nowMs + 660_000 - 1)).toBe("accept");
  expect(at(nowMs + 660_000)).toBe("token-expired");
});

test("a cached token without iat is not accepted before its longest life fits", () => {
  const at = replay(mint("generic", { claims: { iat: undefined, exp: now + 86_400 } }));
  expect(at(nowMs)).toBe("accept");
  expect(at(nowMs - 1)).toBe("token-time");
});

test("a clock that says nothing accepts nothing", () => {
  const at = replay(mint("generic"));
  expect(at(nowMs)).toBe("accept");
  expect(at(Number.NaN)).toBe("token-expired");
});

test("JWT-286 a cached token dies with the activation that removes its issuer, others live on", () => {
  const without = createWorld({ trustDomains: [domains.b], providers: [provider("other")] });
  for (const kind of ["jwt-svid", "generic"] as const) {
    const at = replay(mint(kind));
    expect(at(nowMs)).toBe("accept");
    expect(at(nowMs, without)).toBe("token-issuer");
  }
  const at = replay(mint("generic"));
  expect(at(nowMs)).toBe("accept");
  expect(at(nowMs, createWorld({ trustDomains: [] }))).toBe("accept");
});

test.each([
  ["JWT-281.1 absent", undefined],
  ["JWT-281.2 no SPIFFE id", "alice"],
])("a token of a trust domain's key whose sub is %s finds no issuer", (_name, sub) => {
  // With nothing that names an issuer there is none to say more: the same denial as JWT-162.
  expect(replay(mint("jwt-svid", { claims: { sub } }))(nowMs)).toBe("token-issuer");
});

test.each([
  ["nothing changed", {}, nowMs, "accept"],
  ["later, within its life", {}, nowMs + 60_000, "accept"],
  ["after its end", {}, nowMs + hourMs, "token-expired"],
  ["the provider is gone", { id: "AOIP-new" }, nowMs, "token-issuer"],
  ["the provider has another issuer", { issuer: "https://new.example" }, nowMs, "token-issuer"],
  ["the audience is no longer ours", { audiences: ["new"] }, nowMs, "token-audience"],
  ["the algorithm is no longer pinned", { algorithms: ["ES256"] }, nowMs, "token-algorithm"],
  ["the kind has another typ", { tokenKind: "rfc9068" }, nowMs, "token-kind"],
  ["the kind asks for more", { tokenKind: "kubernetes" }, nowMs, "token-claims"],
  ["the longest life is shorter", { maxTokenLifetimeSeconds: 60 }, nowMs, "token-time"],
  ["the provider lost its rules", { rules: [] }, nowMs, "token-issuer"],
] as const)(
  "POL-096 claims are judged again without a signature: %s",
  (_why, change, atMs, want) => {
    const first = verifyToken(mint("generic"), createWorld().issuers, nowMs);
    if (isDenied(first)) throw new Error(first.reason);
    // No key set is there to verify anything with.
    const later = createWorld({ providers: [provider("generic", change)], keys: new Map() });
    const again = recheckToken(first, later.issuers, atMs);
    expect(isDenied(again) ? again.reason : "accept").toBe(want);
    if (!isDenied(again)) expect(again).toEqual(first);
  },
);

test("POL-096 another skew moves the window of a token that is judged again", () => {
  const first = verifyToken(mint("jwt-svid"), createWorld().issuers, nowMs);
  if (isDenied(first)) throw new Error(first.reason);
  expect(first.key.id).toBe(svidA.id);
  const generic = verifyToken(mint("generic"), createWorld().issuers, nowMs);
  if (isDenied(generic)) throw new Error(generic.reason);
  const later = createWorld({ providers: [provider("generic", { clockSkewSeconds: 0 })] });
  const again = recheckToken(generic, later.issuers, nowMs);
  expect(again).toMatchObject({ credential: { expiresAtMs: nowMs + 600_000 } });
  expect(recheckToken(first, later.issuers, nowMs)).toEqual(first);
});
