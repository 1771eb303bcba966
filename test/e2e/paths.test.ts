import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { http2Request } from "../fakes/http-client.ts";
import { type Asked, type Mesh, startMesh, startTimeoutMs } from "./authorizer.ts";
import { envoyForTests } from "./envoy.ts";
import { istioConfig, strictConfig } from "./envoy-config.ts";
import {
  attackRows,
  canonicalRows,
  type PathRow,
  pathDocuments,
  resourcePart,
  sloppyReading,
  upstreamResource,
} from "./path-rows.ts";

/*
 * Request targets through a real Envoy, in its default settings, hardened, and as Istio sets it. Where
 * Envoy leaves targets alone the outcome is the table's; where it rewrites them, only one thing counts:
 * nothing is allowed as another resource than the one that the application reads.
 */

const binary = (await envoyForTests()) ?? "";
const rows: readonly PathRow[] = [...canonicalRows, ...attackRows];

/** What Envoy's HTTP/1 codec and connection manager refuse by themselves, whatever is configured. */
const refusedByEnvoy: Readonly<Record<string, number>> = {
  "4.7 row 70": 400,
  "4.7 row 71": 404,
  "4.7 row 72": 400,
  "4.7 row 73": 400,
  "4.7 row 75": 400,
  "4.7 row 76": 400,
  "4.7 row 77": 400,
  "4.7 row 78": 400,
  "4.7 row 79": 400,
  "4.7 row 117": 400,
  "4.7 row 118": 400,
  "4.7 row 119": 404,
  "4.7 row 120": 400,
  "4.7 row 121": 400,
  "PATH-034": 400,
  "PATH-041": 404,
  "PATH-043": 400,
  "PATH-044": 400,
  "PATH-064.2": 400,
  "PATH-070.1": 431,
  "PATH-090.1": 400,
};

/** What its HTTP/1 codec reads as something else before anybody is asked. */
const readByEnvoy: Readonly<Record<string, string>> = {
  // Absolute form: the target's authority becomes the Host, which no service has.
  "4.7 row 74": "route-not-found service-host",
  "PATH-040": "route-not-found service-host",
  // White space around the target belongs to the request line.
  "PATH-064.1": "public/",
  "PATH-090.2": "public",
};

/** Rows that the hardened settings answer with 400 before the check (envoy-ext-authz 4.7). */
const refusedWhenHardened = ["26", "43", "44", "45", "47", "48", "50", "58", "59"].map(
  (n) => `4.7 row ${n}`,
);

const settings = [
  {
    name: "Envoy's defaults",
    shape: strictConfig,
    unix: true,
    connectionManager: {
      normalize_path: null,
      merge_slashes: null,
      path_with_escaped_slashes_action: null,
    },
    untouched: true,
  },
  { name: "hardened", shape: strictConfig, unix: false, connectionManager: {}, untouched: false },
  { name: "Istio BASE", shape: istioConfig, unix: true, connectionManager: {}, untouched: false },
] as const;

test("every row that has an answer of its own is a row", () => {
  const ids = new Set(rows.map(({ id }) => id));
  const named = [
    ...Object.keys(refusedByEnvoy),
    ...Object.keys(readByEnvoy),
    ...refusedWhenHardened,
  ];
  expect(named.filter((id) => !ids.has(id))).toEqual([]);
});

describe.skipIf(binary === "")("request targets behind the real Envoy", () => {
  describe.each(settings)("$name", ({ untouched, name, ...variant }) => {
    let mesh: Mesh;

    beforeAll(async () => {
      // How long Envoy waits before it closes a connection that is in error; a second by default.
      const connectionManager = { ...variant.connectionManager, delayed_close_timeout: "0.02s" };
      mesh = await startMesh({ binary, documents: pathDocuments, ...variant, connectionManager });
    }, startTimeoutMs);
    afterAll(async () => {
      await mesh?.close();
    });

    if (untouched) {
      test.each(rows)("$id: $shown: as the table says", async (row) => {
        const asked = await mesh.ask(row.request);
        const { reply, outcome, seen } = asked;
        const status = refusedByEnvoy[row.id];
        if (status !== undefined) {
          expect([reply.status, outcome, seen]).toEqual([status, null, null]);
          return;
        }
        expect(readingIn(asked)).toBe(readByEnvoy[row.id] ?? textOf(row));
        if (seen !== null && readByEnvoy[row.id] === undefined) {
          expect(seen.target).toBe(row.request.target?.toString("latin1"));
        }
        expectNothingElseAllowed(row, asked);
      });
    } else {
      test.each(rows)("$id: $shown: no other resource than the application's", async (row) => {
        const asked = await mesh.ask(row.request);
        expectNothingElseAllowed(row, asked);
        if (asked.outcome === null) expect([400, 404, 431]).toContain(asked.reply.status);
      });
    }

    if (name === "hardened") {
      test.each(refusedWhenHardened)("%s: refused by Envoy itself", async (id) => {
        const request = rows.find((row) => row.id === id)?.request ?? {};
        const { reply, outcome, seen } = await mesh.ask(request);
        expect([reply.status, outcome, seen]).toEqual([400, null, null]);
      });
    }

    // What an HTTP/1 codec cannot carry, an HTTP/2 one may.
    test.each([
      { id: "4.7 row 70", target: "", want: null },
      { id: "4.7 row 71", target: "*", want: null },
      { id: "4.7 row 73", target: "pkg.Svc/Method", want: null },
      { id: "4.7 row 74", target: "http://s0.example.com/a", want: null },
      { id: "4.7 row 75", target: "/a#f", want: null },
      { id: "4.7 row 76", target: "/a\tb", want: null },
      { id: "4.7 row 77", target: "/a\0b", want: null },
      { id: "4.7 row 78", target: "/a b", want: null },
      { id: "4.7 row 79", target: "/caf\u00e9", want: "ambiguous-path" },
      { id: "4.7 row 117", method: "get", target: "/a", want: "route-not-found" },
      { id: "4.7 row 118", method: "GE T", target: "/a", want: null },
      { id: "PATH-092.1", method: "TRACE", target: "/a", want: "route-not-found" },
      { id: "PATH-092.2", method: "PURGE", target: "/a", want: "route-not-found" },
    ])("$id over HTTP/2: $want", async ({ method = "GET", target, want }) => {
      const { outcome, seen } = await mesh.watch((address) =>
        http2Request(address, { method, target, authority: "s0.example.com" }),
      );
      expect(outcome?.answer.reason ?? null).toBe(want);
      expect(seen).toBeNull();
    });

    test("absolute form: the service is the one whose Host the application gets", async () => {
      const { outcome, seen } = await mesh.ask({
        target: "http://attacked.example.com/public",
        host: "s0.example.com",
      });
      expect(outcome?.action).toBe("attacked:Public");
      expect(seen?.headers).toContainEqual(["host", "attacked.example.com"]);
      const admin = await mesh.ask({
        target: "http://attacked.example.com/admin",
        host: "s0.example.com",
      });
      expect([admin.outcome?.answer.reason, admin.seen]).toEqual(["explicit-deny", null]);
    });

    test("a path of 8 KiB is refused for its length", async () => {
      const { reply, outcome, seen } = await mesh.ask({
        target: `/${"a".repeat(8191)}`,
        host: "s0.example.com",
      });
      expect([reply.status, outcome?.detail, seen]).toEqual([400, "path-too-long", null]);
    });
  });
});

/** What the authorizer read, in the form of `textOf`. */
function readingIn({ outcome }: Asked): string {
  if (outcome === null) return "no Check";
  const { resource, answer, detail } = outcome;
  return resource === null ? `${answer.reason} ${detail}` : resourcePart(resource);
}

function textOf({ want }: PathRow): string {
  return want.type === "resource" ? want.resource : `${want.reason} ${want.detail}`;
}

/** What reached the application was allowed, and as the very resource that the application reads. */
function expectNothingElseAllowed(row: PathRow, { outcome, seen, reply }: Asked): void {
  if (seen === null) {
    // A gRPC caller hears of it in a status of its own.
    expect(reply.status === 200 ? reply.headers.map(([name]) => name) : []).toEqual(
      reply.status === 200 ? expect.arrayContaining(["grpc-status"]) : [],
    );
    return;
  }
  expect(outcome?.answer.type).toBe("allow");
  expect(resourcePart(outcome?.resource ?? null)).toBe(upstreamResource(row, seen.target));
  if (row.id.startsWith("PATH-")) expect(sloppyReading(seen.target)).not.toMatch(/^\/admin/);
}
