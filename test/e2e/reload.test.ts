import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Document } from "../fakes/documents.ts";
import { type Mesh, soon, startMesh, startTimeoutMs, variants } from "./authorizer.ts";
import { blue, red, through, world } from "./doors.ts";
import { envoyForTests } from "./envoy.ts";
import { startLoad } from "./load.ts";
import { issueTokens } from "./shop.ts";

/*
 * Documents that change under a running Envoy: the next answer is the new one, no answer is a mixture,
 * none is lost.
 */

const binary = (await envoyForTests()) ?? "";
const old = issueTokens(Date.now());
const rotated = issueTokens(Date.now());

describe.skipIf(binary === "")("documents that change behind the real Envoy", () => {
  describe.each(variants)("$name", ({ shape, unix }) => {
    let mesh: Mesh;

    beforeAll(async () => {
      mesh = await startMesh({ binary, shape, unix, documents: world(old.jwks) });
    }, startTimeoutMs);
    afterAll(async () => {
      await mesh?.close();
    });

    const revision = async () => (await mesh.authorizer.status()).bundle.revision ?? 0;

    /** Writes and waits until what was written is in force. */
    async function change(documents: readonly Document[]): Promise<number> {
      const before = await revision();
      mesh.authorizer.write(documents);
      await expect.poll(revision, soon).toBeGreaterThan(before);
      return revision();
    }

    test("under load no request fails, and each answer is wholly of the revision it names", async () => {
      const { outcomes } = mesh.authorizer;
      outcomes.length = 0;
      const openAt = new Map([[await revision(), red]]);
      const load = startLoad(mesh.envoy.address, (n) =>
        through(n % 2 === 0 ? "/red" : "/blue", old.tokens.ana),
      );
      await load.answered(50);
      for (const open of [blue, red, blue, red, blue, red]) {
        openAt.set(await change(world(old.jwks, { open })), open);
        await load.answered(30);
      }
      await load.stop();

      expect([...load.statuses.keys()].sort()).toEqual(["200", "403"]);
      const met = new Set(outcomes.map((outcome) => outcome.revision));
      expect([...met].sort()).toEqual([...openAt.keys()].sort());
      for (const { action, revision: of, decision } of outcomes) {
        expect([action, decision.decision]).toEqual([
          action,
          openAt.get(of)?.action === action ? "allowed" : "implicitDeny",
        ]);
      }
      const answers = [...load.statuses.values()].reduce((sum, count) => sum + count, 0);
      expect(outcomes).toHaveLength(answers);
      const errors = await mesh.envoy.counters("ext_authz.*error");
      expect([...errors.values()].filter((count) => count > 0)).toEqual([]);
    });

    test.each([
      {
        why: "a key of the provider is replaced: the old token",
        keys: rotated.jwks,
        ask: through("/red", old.tokens.ana),
        before: "identity-policy",
        after: "token-signature",
      },
      {
        why: "a key of the provider is replaced: the new token",
        keys: rotated.jwks,
        ask: through("/red", rotated.tokens.ana),
        before: "token-signature",
        after: "identity-policy",
      },
      {
        why: "a user is removed",
        next: { users: [] },
        ask: through("/red", old.tokens.ana),
        before: "identity-policy",
        after: "principal-not-mapped",
      },
      {
        why: "a user is added",
        next: { users: ["ana", "bob"] },
        ask: through("/red", old.tokens.bob),
        before: "principal-not-mapped",
        after: "identity-policy",
      },
      {
        why: "a route is added",
        next: { routes: ["GET /new"] },
        ask: through("/new", old.tokens.ana),
        before: "route-not-found",
        after: "identity-policy",
      },
      {
        why: "a service goes into shadow mode",
        next: { shadow: true },
        ask: through("/blue", old.tokens.ana),
        before: "implicit-deny",
        after: "shadow-mode",
      },
    ])(
      "$why: $before, then $after, then again",
      async ({ keys = old.jwks, next = {}, ask, before, after }) => {
        const reason = async () => (await mesh.ask(ask)).outcome?.answer.reason;
        await expect.poll(reason, soon).toBe(before);
        await change(world(keys, next));
        expect(await reason()).toBe(after);
        await change(world(old.jwks));
        expect(await reason()).toBe(before);
      },
    );
  });
});
