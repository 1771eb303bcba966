import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Document, formatDocuments, user } from "../fakes/documents.ts";
import { metricSum } from "../fakes/metric-sum.ts";
import { type Mesh, soon, startMesh, startTimeoutMs, variants } from "./authorizer.ts";
import { blue, through, world } from "./doors.ts";
import { envoyForTests } from "./envoy.ts";
import { startLoad } from "./load.ts";
import { issueTokens } from "./shop.ts";

/*
 * Documents that cannot be used: the last good ones decide on, no request is lost, and status, metric
 * and log say what is wrong and where. And the ways in which a folder may change or go away.
 */

const binary = (await envoyForTests()) ?? "";
const { tokens, jwks } = issueTokens(Date.now());
const open = through("/blue", tokens.ana);
const good = world(jwks, { open: blue });

interface BadRow {
  readonly why: string;
  readonly write: string;
  /** Words of the refusal: place, and what was met or expected. */
  readonly says: readonly string[];
}

const bad: readonly BadRow[] = [
  {
    why: "no YAML",
    write: "kind: Service\n  metadata: [",
    says: ["documents.yaml:2:14: ", "YAML"],
  },
  {
    why: "an unknown kind",
    write: formatDocuments([...good, { ...(good[0] as Document), kind: "Organisation" }]),
    says: ["documents.yaml:", "`Organisation`", "`Organization`"],
  },
  {
    why: "an unknown member",
    write: formatDocuments([...good, user("eve", [], { grops: [] })]),
    says: ["documents.yaml:", "User/eve", "`grops`", "`groups`"],
  },
  {
    why: "a policy that is none",
    write: formatDocuments([...good, user("eve", [{ Effect: "Maybe", Action: "*" }])]),
    says: ["documents.yaml:", "User/eve", "`Maybe`"],
  },
  {
    why: "a reference to nothing",
    write: formatDocuments([...good, user("eve", [], { groups: ["nobody"] })]),
    says: ["documents.yaml:", "User/eve", "`nobody`"],
  },
  {
    why: "a name that is taken",
    write: formatDocuments([...good, user("ana", [])]),
    says: ["documents.yaml:", "User/ana"],
  },
];

describe.skipIf(binary === "")("documents that cannot be used, behind the real Envoy", () => {
  describe.each(variants)("$name", ({ shape, unix }) => {
    let mesh: Mesh;

    beforeAll(async () => {
      mesh = await startMesh({ binary, shape, unix, documents: good });
    }, startTimeoutMs);
    afterAll(async () => {
      await mesh?.close();
    });

    const pulls = async (result: string) =>
      metricSum(await mesh.authorizer.page("/metrics"), "mesh_iam_bundle_pulls_total", { result });
    const status = async () => (await mesh.authorizer.status()).bundle;

    test.each(bad)("$why: the last good ones stay in force, and it is told", async (row) => {
      const { revision } = await status();
      const before = await pulls("parse");
      const load = startLoad(mesh.envoy.address, () => open, 2);
      mesh.authorizer.write(row.write);
      const refusal = async () => (await status()).lastRefusal?.detail ?? "";
      for (const words of row.says) await expect.poll(refusal, soon).toContain(words);
      await load.answered(10);
      await load.stop();

      expect([...load.statuses.keys()]).toEqual(["200"]);
      expect(await pulls("parse")).toBeGreaterThan(before);
      const after = await mesh.authorizer.status();
      expect([after.ready, after.bundle.revision]).toEqual([true, revision]);
      expect(after.bundle.lastRefusal?.code).toBe("document-invalid");
      const record = mesh.authorizer.log
        .records()
        .findLast(({ event }) => event === "bundle-refused");
      expect(record).toMatchObject({ level: "error", code: "document-invalid" });
      for (const words of row.says) expect(record?.detail).toContain(words);
      const page = await mesh.authorizer.page("/metrics");
      expect(metricSum(page, "mesh_iam_bundle_ready")).toBe(1);
      expect(metricSum(page, "mesh_iam_bundle_revision")).toBe(revision);
      mesh.authorizer.write(good);
    });

    test("better documents are taken after worse ones", async () => {
      const before = await pulls("parse");
      mesh.authorizer.write("kind: [");
      await expect.poll(() => pulls("parse"), soon).toBeGreaterThan(before);
      const { revision } = await status();
      mesh.authorizer.write(world(jwks));
      await expect.poll(async () => (await status()).revision, soon).toBeGreaterThan(revision ?? 0);
      expect((await mesh.ask(open)).reply.status).toBe(403);
      mesh.authorizer.write(good);
      await expect.poll(async () => (await mesh.ask(open)).reply.status, soon).toBe(200);
    });

    test("a folder that goes away changes nothing, and is taken again when it is back", async () => {
      const { folder } = mesh.authorizer;
      const { revision } = await status();
      const before = await pulls("network");
      renameSync(folder, `${folder}.away`);
      await expect.poll(() => pulls("network"), soon).toBeGreaterThan(before);
      expect((await mesh.ask(open)).reply.status).toBe(200);
      expect(await status()).toMatchObject({
        revision,
        lastRefusal: { code: "document-unreadable" },
      });
      renameSync(`${folder}.away`, folder);
      mesh.authorizer.write(world(jwks));
      await expect.poll(async () => (await mesh.ask(open)).reply.status, soon).toBe(403);
      mesh.authorizer.write(good);
      await expect.poll(async () => (await mesh.ask(open)).reply.status, soon).toBe(200);
    });

    test("a ConfigMap is swapped by its symbolic link, under load", async () => {
      const { folder } = mesh.authorizer;
      const swap = (version: string, documents: readonly Document[]): void => {
        mkdirSync(join(folder, version));
        writeFileSync(join(folder, version, "documents.yaml"), formatDocuments(documents));
        symlinkSync(version, join(folder, "..fresh"));
        renameSync(join(folder, "..fresh"), join(folder, "..data"));
      };
      swap("..one", good);
      rmSync(join(folder, "documents.yaml"));
      symlinkSync(join("..data", "documents.yaml"), join(folder, "documents.yaml"));
      const load = startLoad(mesh.envoy.address, () => open, 2);
      await load.answered(10);
      swap("..two", world(jwks));
      await expect.poll(() => load.statuses.get("403") ?? 0, soon).toBeGreaterThan(10);
      await load.stop();
      expect([...load.statuses.keys()].sort()).toEqual(["200", "403"]);
    });
  });
});
