import { expect, test } from "vitest";
import { formatAddress, isLocal, parseAddress, parseTcpAddress } from "./address.ts";

test.each([
  { text: "grpc://127.0.0.1:9191", want: { type: "tcp", host: "127.0.0.1", port: 9191 } },
  { text: "grpc://localhost:0", want: { type: "tcp", host: "localhost", port: 0 } },
  { text: "grpc://[::1]:65535", want: { type: "tcp", host: "::1", port: 65535 } },
  { text: "unix:///run/mesh-iam/a.sock", want: { type: "unix", path: "/run/mesh-iam/a.sock" } },
  { text: "unix://@mesh-iam", want: { type: "abstract", name: "mesh-iam" } },
])("$text is an address and is written the same again", ({ text, want }) => {
  const parsed = parseAddress(text);
  expect(parsed).toEqual({ ok: true, value: want });
  if (parsed.ok) expect(formatAddress(parsed.value)).toBe(text);
});

test.each([
  { why: "no scheme", text: "127.0.0.1:9191" },
  { why: "another scheme", text: "http://127.0.0.1:9191" },
  { why: "no port", text: "grpc://127.0.0.1" },
  { why: "no host", text: "grpc://:9191" },
  { why: "a port above the last", text: "grpc://127.0.0.1:65536" },
  { why: "a negative port", text: "grpc://127.0.0.1:-1" },
  { why: "an IPv6 host without brackets", text: "grpc://::1:9191" },
  { why: "a path behind the port", text: "grpc://127.0.0.1:9191/x" },
  { why: "a relative socket", text: "unix://run/a.sock" },
  { why: "a folder for a socket", text: "unix:///run/" },
  { why: "an abstract socket without a name", text: "unix://@" },
  { why: "a socket longer than sun_path", text: `unix:///${"a".repeat(107)}` },
  { why: "a NUL in a socket", text: "unix:///run/a\0b" },
  { why: "nothing", text: "" },
])("no address: $why", ({ text }) => {
  expect(parseAddress(text)).toMatchObject({ ok: false, code: "address-invalid" });
});

test.each([
  ["grpc://127.0.0.53:1", true],
  ["grpc://localhost:1", true],
  ["grpc://[::1]:1", true],
  ["unix:///run/a", true],
  ["grpc://0.0.0.0:1", false],
  ["grpc://10.0.0.1:1", false],
  ["grpc://[::]:1", false],
])("%s is local: %s", (text, want) => {
  const parsed = parseAddress(text);
  expect(parsed.ok && isLocal(parsed.value)).toBe(want);
});

test("host and port alone are the form of the diagnostics listener", () => {
  expect(parseTcpAddress("0.0.0.0:8282")).toMatchObject({ ok: true });
  expect(parseTcpAddress("8282")).toMatchObject({ ok: false });
});
