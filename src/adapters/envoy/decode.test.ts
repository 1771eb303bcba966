import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import type { CheckAttributes } from "../../domain/request/attributes.ts";
import { isDenied } from "../../domain/request/denied.ts";
import { CheckRequestSchema } from "../../gen/envoy/service/auth/v3/external_auth_pb.ts";
import { createDecoder } from "./decode.ts";

const decoder = createDecoder();

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(" ", ""), "hex");
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

function field(number: number, ...parts: (Buffer | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  return Buffer.concat([varint(number * 8 + 2), varint(body.length), body]);
}

/** A CheckRequest whose `http` has the given fields. */
function http(...fields: Buffer[]): Buffer {
  return field(1, field(4, field(2, ...fields)));
}

function header(name: Buffer | string, value: Buffer | string): Buffer {
  return field(3, field(1, name), field(2, value));
}

function rawHeaders(...pairs: [name: Buffer | string, value: Buffer | string][]): Buffer {
  return field(13, ...pairs.map(([name, value]) => field(1, field(1, name), field(3, value))));
}

function accepted(bytes: Uint8Array): CheckAttributes {
  const decoded = decoder.decode(bytes);
  if (isDenied(decoded)) throw new Error(`denied: ${decoded.reason} ${decoded.detail}`);
  return decoded;
}

const malformed = (detail: string) => ({ type: "denied", reason: "malformed", detail });
const tooLarge = (detail: string) => ({ type: "denied", reason: "request-too-large", detail });

test("a request as Envoy sends it", () => {
  const bytes = toBinary(
    CheckRequestSchema,
    create(CheckRequestSchema, {
      attributes: {
        source: {
          principal: "spiffe://cluster.local/ns/shop/sa/cart",
          certificate: "-----BEGIN%20CERTIFICATE-----",
          address: {
            address: {
              case: "socketAddress",
              value: {
                address: "10.0.0.7",
                portSpecifier: { case: "portValue", value: 40_000 },
              },
            },
          },
        },
        destination: {
          labels: { app: "orders" },
          address: {
            address: {
              case: "socketAddress",
              value: { portSpecifier: { case: "portValue", value: 8080 } },
            },
          },
        },
        request: {
          time: { seconds: 1_763_971_200n, nanos: 250_999_999 },
          http: {
            method: "GET",
            path: "/v1/orders/42?a=b",
            host: "orders:8080",
            scheme: "https",
            protocol: "HTTP/2",
            headers: { ":path": "/v1/orders/42?a=b", authorization: "Bearer t" },
          },
        },
        contextExtensions: { "mesh-iam-service": "orders" },
        tlsSession: { sni: "orders.example.com" },
      },
    }),
  );
  const attributes = accepted(bytes);
  expect(attributes).toMatchObject({
    hasRequest: true,
    method: "GET",
    target: "/v1/orders/42?a=b",
    rawPath: "/v1/orders/42?a=b",
    rawPathCount: 1,
    rawHeaders: false,
    host: "orders:8080",
    scheme: "https",
    protocol: "HTTP/2",
    requestTimeMs: 1_763_971_200_250,
    sourcePrincipal: "spiffe://cluster.local/ns/shop/sa/cart",
    destinationPrincipal: "",
    sourceAddress: "10.0.0.7",
    destinationPort: 8080,
    serverName: "orders.example.com",
    hasPeerCertificate: true,
    identityHeaderNames: [],
  });
  expect([...attributes.destinationLabels]).toEqual([["app", "orders"]]);
  expect(attributes.contextExtension("mesh-iam-service")).toBe("orders");
  expect(attributes.contextExtension("mesh-iam-account")).toBeUndefined();
  expect(attributes.header("authorization")).toEqual({ value: "Bearer t", count: 1 });
  expect(attributes.header("cookie")).toBeUndefined();
});

test("a TCP check has no request", () => {
  const bytes = field(1, field(1, field(4, "spiffe://td/a")));
  expect(accepted(bytes)).toMatchObject({ hasRequest: false, method: "", target: "", host: "" });
});

const get = field(2, "GET");

test.each([
  { why: "the empty message", bytes: hex(""), want: malformed("no-attributes") },
  { why: "unknown fields alone", bytes: hex("7801"), want: malformed("no-attributes") },
  {
    why: "a request without its HTTP part",
    bytes: field(1, field(4)),
    want: malformed("request-without-http"),
  },
  { why: "field number 0", bytes: hex("0200"), want: malformed("wire") },
  { why: "wire type 6", bytes: hex("0e00"), want: malformed("wire") },
  { why: "a length past the end", bytes: hex("0a05 0a00"), want: malformed("wire") },
  {
    why: "a length past its enclosing message",
    bytes: Buffer.concat([hex("0a04 2205 1203"), hex("1201 47")]),
    want: malformed("wire"),
  },
  {
    why: "a varint of eleven bytes",
    bytes: hex("0a0c 78 ffffffffffffffffffff01"),
    want: malformed("wire"),
  },
  { why: "a tag over 32 bits", bytes: hex("fa ffffffff 1f 00"), want: malformed("wire") },
  { why: "a length over 32 bits", bytes: hex("0a 8180808010 00"), want: malformed("wire") },
  { why: "an end-group alone", bytes: hex("0a01 7c"), want: malformed("wire") },
  { why: "a group that never ends", bytes: hex("0a03 7b 0800"), want: malformed("wire") },
  { why: "a group ended by another", bytes: hex("0a02 7b 84"), want: malformed("wire") },
  {
    why: "a known field of another wire type",
    bytes: field(1, field(4, field(2, hex("1001")))),
    want: malformed("wire"),
  },
  {
    why: "`headers` beside `header_map`",
    bytes: http(header("a", "1"), rawHeaders(["a", "1"])),
    want: malformed("two-header-forms"),
  },
  {
    why: "`headers` beside an empty `header_map`",
    bytes: http(header("a", "1"), field(13)),
    want: malformed("two-header-forms"),
  },
  {
    why: "a header with value and raw value",
    bytes: http(field(13, field(1, field(1, "a"), field(2, "1"), field(3, "2")))),
    want: malformed("wire"),
  },
  {
    why: "invalid UTF-8 in the method",
    bytes: http(field(2, hex("c328"))),
    want: malformed("utf8"),
  },
  {
    why: "an overlong slash in the principal",
    bytes: field(1, field(1, field(4, hex("c0af")))),
    want: malformed("utf8"),
  },
  {
    why: "a surrogate in a context extension",
    bytes: field(1, field(10, field(1, "a"), field(2, hex("eda080")))),
    want: malformed("utf8"),
  },
  {
    why: "an identity header whose name is no token",
    bytes: http(header("x-mesh-iam-a b", "1")),
    want: malformed("wire"),
  },
  {
    why: "PATH-124: a thousand headers",
    bytes: http(...Array.from({ length: 1000 }, (_, n) => header(`h${n}`, "v"))),
    want: tooLarge("headers"),
  },
  {
    why: "one raw header above the cap",
    bytes: http(
      rawHeaders(...Array.from({ length: 257 }, (_, n): [string, string] => [`h${n}`, "v"])),
    ),
    want: tooLarge("headers"),
  },
  {
    why: "65 context extensions",
    bytes: field(1, ...Array.from({ length: 65 }, (_, n) => field(10, field(1, `e${n}`)))),
    want: tooLarge("context-extensions"),
  },
  {
    why: "a byte over 256 KiB",
    bytes: Buffer.alloc(262_145),
    want: tooLarge("message-bytes"),
  },
])("a CheckRequest is refused: $why", ({ bytes, want }) => {
  expect(decoder.decode(bytes)).toEqual(want);
});

test.each([
  {
    why: "a singular field twice: the last one wins",
    bytes: http(get, field(2, "PUT")),
    want: { method: "PUT" },
  },
  {
    why: "attributes in two pieces are merged",
    bytes: Buffer.concat([http(get), http(field(5, "orders"))]),
    want: { method: "GET", host: "orders" },
  },
  {
    why: "another member of the address replaces the first",
    bytes: field(1, field(1, field(1, field(1, field(2, "1.2.3.4"))), field(1, field(2)))),
    want: { sourceAddress: null },
  },
  {
    why: "a socket address after a pipe starts empty",
    bytes: field(
      1,
      field(1, field(1, field(1, field(2, "1.2.3.4")), field(2), field(1, hex("1850")))),
    ),
    want: { sourceAddress: null },
  },
  {
    why: "a named port replaces the number",
    bytes: field(1, field(2, field(1, field(1, hex("1850"), field(4, "http"))))),
    want: { destinationPort: null },
  },
  {
    why: "unknown fields of each wire type are skipped",
    bytes: http(hex("b80101 b9010000000000000000 ba0100 bb010801bc01 bd0100000000"), get),
    want: { method: "GET" },
  },
  {
    why: "ninety groups inside groups",
    bytes: http(Buffer.concat([...Array(90).fill(hex("bb01")), ...Array(90).fill(hex("bc01"))])),
    want: { hasRequest: true },
  },
  {
    why: "invalid UTF-8 in a text that nobody reads",
    bytes: http(get, field(11, hex("ff"))),
    want: { method: "GET" },
  },
  {
    why: "the empty path of CONNECT",
    bytes: http(field(2, "CONNECT"), field(5, "orders:443")),
    want: { method: "CONNECT", target: "", rawPath: null, rawPathCount: 0 },
  },
  {
    why: "bytes outside ASCII in a target are one char each",
    bytes: http(field(4, hex("2fc3a9ff"))),
    want: { target: "/Ã©ÿ" },
  },
  {
    why: "two `:path` entries are counted",
    bytes: http(rawHeaders([":path", "/a"], [":path", "/b"])),
    want: { rawPath: "/b", rawPathCount: 2 },
  },
])("a CheckRequest is read: $why", ({ bytes, want }) => {
  expect(accepted(bytes)).toMatchObject(want);
});

test("more than ninety groups inside groups are refused", () => {
  const open = Buffer.concat(Array(20_000).fill(hex("bb01")));
  const close = Buffer.concat(Array(20_000).fill(hex("bc01")));
  expect(decoder.decode(http(Buffer.concat([open, close])))).toEqual(malformed("wire"));
});

test.each([
  { why: "value before key", entry: [field(2, "1"), field(1, "a")], want: "1" },
  { why: "no value", entry: [field(1, "a")], want: "" },
  { why: "a key twice", entry: [field(1, "b"), field(1, "a"), field(2, "1")], want: "1" },
  {
    why: "an unknown field inside",
    entry: [field(1, "a"), hex("3a0101"), field(2, "1")],
    want: "1",
  },
])("a map entry is read: $why", ({ entry, want }) => {
  expect(accepted(http(field(3, ...entry))).header("a")).toEqual({ value: want, count: 1 });
});

test("the same key twice in the joined map: the last one wins", () => {
  const attributes = accepted(http(header("a", "1"), header("a", "2")));
  expect(attributes.header("a")).toEqual({ value: "2", count: 1 });
});

test.each([
  ["joined", http(header("a", "1"), header("b", "22"))],
  ["raw", http(rawHeaders(["a", "1"], ["b", "22"]))],
  ["joined, the key twice: the last stays", http(header("b", "1"), header("b", "22"))],
  ["raw, beyond UTF-8", http(rawHeaders(["b", Buffer.from([0x32, 0xff])]))],
])("where a header lies: %s", (_why, message) => {
  const span = accepted(message).headerSpan("b");
  if (span === null) throw new Error("expected a place");
  expect(span.end - span.start).toBe(2);
  expect(span.bytes[span.start]).toBe(0x32);
});

test.each([
  ["an absent header", http(header("a", "1"))],
  ["a name in upper case", http(header("B", "1"))],
  ["a header that came twice", http(rawHeaders(["b", "1"], ["b", "1"]))],
  ["no request", field(1, field(4))],
])("nowhere to show: %s", (_why, message) => {
  const decoded = decoder.decode(message);
  expect(isDenied(decoded) ? null : decoded.headerSpan("b")).toBeNull();
});

test("a repeated header of `header_map` is joined in order and counted", () => {
  const attributes = accepted(http(rawHeaders(["a", "1"], ["b", "x"], ["a", "2"], ["a", "3"])));
  expect(attributes.rawHeaders).toBe(true);
  expect(attributes.header("a")).toEqual({ value: "1,2,3", count: 3 });
});

test("a header map with texts instead of raw bytes, as gRPC clients send it", () => {
  const attributes = accepted(http(field(13, field(1, field(1, "a"), field(2, "1")))));
  expect(attributes.header("a")).toEqual({ value: "1", count: 1 });
});

test.each(["__proto__", "constructor", "toString", "hasOwnProperty"])(
  "the header name %s is plain bytes",
  (name) => {
    expect(accepted(http(get)).header(name)).toBeUndefined();
    expect(accepted(http(header(name, "v"))).header(name)).toEqual({ value: "v", count: 1 });
  },
);

test.each([
  { why: "PATH-122: NUL is data", value: "610062", want: "a\0b" },
  { why: "a leading U+FEFF is data", value: "efbbbf61", want: "\uFEFFa" },
  { why: "two-byte character", value: "c3a9", want: "é" },
  { why: "PATH-123: a lone continuation byte", value: "6180", want: "a!" },
  { why: "a cut three-byte character", value: "e28228", want: "!!(" },
  { why: "an overlong slash", value: "c0af", want: "!!" },
  { why: "a surrogate", value: "eda080", want: "!!!" },
  { why: "above U+10FFFF", value: "f4908080", want: "!!!!" },
  { why: "a cut character at the end", value: "f09f98", want: "!!!" },
])("a header value in both encodings: $why", ({ value, want }) => {
  const bytes = hex(value);
  for (const message of [http(header("a", bytes)), http(rawHeaders(["a", bytes]))]) {
    expect(accepted(message).header("a")?.value).toBe(want);
  }
});

test.each([
  "x-mesh-iam-principal",
  "X-Mesh-Iam-Principal",
  "x_mesh_iam_principal",
  "x-mesh_iam-anything",
  "x-mesh-iam-",
])("the identity header name %s is listed as received", (name) => {
  expect(accepted(http(header(name, "forged"))).identityHeaderNames).toEqual([name]);
  expect(accepted(http(rawHeaders([name, "a"], [name, "b"]))).identityHeaderNames).toEqual([name]);
});

test.each(["x-mesh-iam", "x-mesh-iamx", "mesh-iam-principal", "xx-mesh-iam-a"])(
  "the header name %s is none of the identity family",
  (name) => {
    expect(accepted(http(header(name, "v"))).identityHeaderNames).toEqual([]);
  },
);

test("a message leaves nothing behind for the next one", () => {
  accepted(http(get, field(4, "/a"), header("a", "1"), header("x-mesh-iam-principal", "forged")))
    .target;
  expect(decoder.decode(hex("0200"))).toEqual(malformed("wire"));
  const attributes = accepted(field(1));
  expect(attributes).toMatchObject({ hasRequest: false, target: "", identityHeaderNames: [] });
  expect(attributes.header("a")).toBeUndefined();
  expect(attributes.rawPath).toBeNull();
});

test("limits are options", () => {
  const small = createDecoder({ maxMessageBytes: 64, maxHeaders: 1, maxContextExtensions: 1 });
  expect(small.decode(Buffer.alloc(65))).toEqual(tooLarge("message-bytes"));
  expect(small.decode(http(header("a", ""), header("b", "")))).toEqual(tooLarge("headers"));
  expect(small.decode(http(header("a", "")))).toMatchObject({ hasRequest: true });
});

test("a plain Uint8Array is read like a Buffer", () => {
  const bytes = Uint8Array.from(http(get));
  expect(accepted(bytes).method).toBe("GET");
});
