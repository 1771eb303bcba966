import { expect, test } from "vitest";
import { loadControlPlaneConfig } from "./control-plane.ts";

test("without a word the control plane serves loopback from an embedded store", () => {
  const loaded = loadControlPlaneConfig({});
  expect(loaded).toMatchObject({
    ok: true,
    value: {
      addr: { host: "127.0.0.1", port: 9443 },
      store: { sqlite: ".mesh-iam/control-plane/store.db", postgres: null },
      api: { audiences: ["mesh-iam:control-plane"], maxBodyBytes: 1_048_576 },
    },
  });
});

test("a variable and a flag go over the file, and a path in the file starts at its folder", () => {
  const loaded = loadControlPlaneConfig({
    file: {
      path: "/etc/mesh-iam/cp.yaml",
      text: "store: { sqlite: data.db }\napi: { burst: 7 }\n",
    },
    env: { MESH_IAM_API_BURST: "8", MESH_IAM_SOCKET: "" },
    flags: { apiRatePerSecond: "9" },
  });
  expect(loaded).toMatchObject({
    ok: true,
    value: {
      socket: null,
      store: { sqlite: "/etc/mesh-iam/data.db" },
      api: { burst: 8, ratePerSecond: 9 },
    },
  });
});

test.each([
  { set: "stroe.sqlite=x", message: "store.sqlite" },
  { set: "store.postgres=mysql://x", message: "postgres://" },
  { set: "tls.certFile=a", message: "together" },
  { set: "tls.clientCaFile=a", message: "expected a certificate" },
])("$set is refused", ({ set, message }) => {
  const loaded = loadControlPlaneConfig({ sets: [set] });
  expect(loaded).toMatchObject({
    ok: false,
    problems: [{ message: expect.stringContaining(message) }],
  });
});
