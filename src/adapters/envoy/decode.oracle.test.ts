import { create, type DescMessage, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readByOracle } from "../../../test/fakes/check-oracle.ts";
import { extensionNames, headerNames, scannerView } from "../../../test/fakes/check-views.ts";
import { isDenied } from "../../domain/request/denied.ts";
import { CheckRequestSchema } from "../../gen/envoy/service/auth/v3/external_auth_pb.ts";
import { createDecoder } from "./decode.ts";

const encoder = new TextEncoder();

/*
 * protobuf-es is the scanner's oracle. Where it reads a message, the scanner reads the same or is
 * stricter in a listed way; where it refuses, the scanner refuses. For messages that are well formed
 * (merged, reordered, with unknown fields) both agree exactly.
 */

const decoder = createDecoder();

interface Both {
  readonly oracle: object | "denied";
  readonly ours: object | "denied";
  readonly invalidUtf8: boolean;
}

/** Returns what both say; "denied" stands for any refusal. */
function both(bytes: Uint8Array): Both {
  const { view: oracle, hasInvalidUtf8: invalidUtf8 } = readByOracle(bytes);
  const decoded = decoder.decode(bytes);
  return { oracle, ours: isDenied(decoded) ? "denied" : scannerView(decoded), invalidUtf8 };
}

const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 6 }),
  fc.constant("\uFEFFx"),
);
const some = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined });
const headerName = fc.oneof(fc.constantFrom(...headerNames), text);
const port = fc.integer({ min: 0, max: 0xffff_ffff });

const address = fc.record({
  address: fc.oneof(
    fc.constant({ case: undefined }),
    fc.record({
      case: fc.constant("socketAddress" as const),
      value: fc.record({
        protocol: fc.constantFrom(0, 1),
        address: text,
        portSpecifier: fc.oneof(
          fc.constant({ case: undefined }),
          fc.record({ case: fc.constant("portValue" as const), value: port }),
          fc.record({ case: fc.constant("namedPort" as const), value: text }),
        ),
        resolverName: text,
        ipv4Compat: fc.boolean(),
      }),
    }),
    fc.record({
      case: fc.constant("pipe" as const),
      value: fc.record({ path: text, mode: port }),
    }),
    fc.record({
      case: fc.constant("envoyInternalAddress" as const),
      value: fc.record({ endpointId: text }),
    }),
  ),
});

const peer = fc.record({
  address: some(address),
  service: text,
  labels: fc.dictionary(text, text, { maxKeys: 3 }),
  principal: text,
  certificate: text,
});

const http = fc.record({
  id: text,
  method: text,
  path: text,
  host: text,
  scheme: text,
  protocol: text,
  size: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  body: text,
  rawBody: fc.uint8Array({ maxLength: 10 }),
});

const request = fc
  .record({
    source: some(peer),
    destination: some(peer),
    http: some(http),
    time: some(
      fc.record({
        seconds: fc.bigInt({ min: -(2n ** 40n), max: 2n ** 40n }),
        nanos: fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }),
      }),
    ),
    headers: fc.array(fc.tuple(headerName, text), { maxLength: 6 }),
    form: fc.constantFrom("joined", "joined", "raw", "raw", "text", "both", "none"),
    contextExtensions: fc.dictionary(fc.oneof(fc.constantFrom(...extensionNames), text), text, {
      maxKeys: 4,
    }),
    sni: some(text),
    attributes: fc.integer({ min: 0, max: 20 }),
  })
  .map((model) => {
    const joined = model.form === "joined" || model.form === "both";
    const raw = model.form !== "joined" && model.form !== "none";
    const value = (v: string) =>
      model.form === "text" ? { value: v } : { rawValue: encoder.encode(v) };
    const withHttp = model.http !== undefined || model.headers.length > 0;
    return toBinary(
      CheckRequestSchema,
      create(CheckRequestSchema, {
        ...(model.attributes === 0
          ? {}
          : {
              attributes: {
                ...(model.source ? { source: model.source } : {}),
                ...(model.destination ? { destination: model.destination } : {}),
                ...(withHttp || model.time
                  ? {
                      request: {
                        ...(model.time ? { time: model.time } : {}),
                        ...(withHttp
                          ? {
                              http: {
                                ...model.http,
                                ...(joined ? { headers: Object.fromEntries(model.headers) } : {}),
                                ...(raw
                                  ? {
                                      headerMap: {
                                        headers: model.headers.map(([key, v]) => ({
                                          key,
                                          ...value(v),
                                        })),
                                      },
                                    }
                                  : {}),
                              },
                            }
                          : {}),
                      },
                    }
                  : {}),
                contextExtensions: model.contextExtensions,
                ...(model.sni === undefined ? {} : { tlsSession: { sni: model.sni } }),
              },
            }),
      }),
    );
  });

/** Concatenated messages are one message, merged. */
const merged = fc
  .array(request, { minLength: 1, maxLength: 3 })
  .map((parts) => Buffer.concat(parts));

/** Unknown fields of each wire type, a group included. */
const unknownFields = [
  "f80101", // 31: varint
  "f90100000000000000ff", // 31: 64 bits
  "fa0103616263", // 31: bytes
  "fb01080afc01", // 31: a group with a varint inside
  "fd01000000ff", // 31: 32 bits
  "fa7f00", // 2047: bytes
].map((hex) => Buffer.from(hex, "hex"));

interface WireField {
  readonly number: number;
  readonly bytes: Buffer;
}

/** Splits a well-formed message into its fields. */
function fieldsOf(bytes: Buffer): WireField[] {
  const fields: WireField[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [tag, afterTag] = varintAt(bytes, at);
    const [value, afterValue] = varintAt(bytes, afterTag);
    const end = (tag & 7) === 2 ? afterValue + value : afterValue;
    fields.push({ number: tag >>> 3, bytes: bytes.subarray(at, end) });
    at = end;
  }
  return fields;
}

function varintAt(bytes: Buffer, start: number): [value: number, end: number] {
  let value = 0;
  let at = start;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] as number;
    if (shift < 28) value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

function varintBytes(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** Reorders the fields of each message and puts unknown ones between them. */
function reorder(schema: DescMessage | undefined, bytes: Buffer, choose: () => number): Buffer {
  const parts = fieldsOf(bytes).map(({ number, bytes: whole }) => {
    const field = schema?.fields.find((candidate) => candidate.number === number);
    const isMap = field?.fieldKind === "map";
    if (field?.message === undefined && !isMap) return whole;
    const [, start] = varintAt(whole, 0);
    const [, body] = varintAt(whole, start);
    const inner = reorder(isMap ? undefined : field?.message, whole.subarray(body), choose);
    return Buffer.concat([whole.subarray(0, start), varintBytes(inner.length), inner]);
  });
  for (let left = parts.length; left > 1; left--) {
    const at = choose() % left;
    const [moved] = parts.splice(at, 1);
    if (moved !== undefined) parts.push(moved);
  }
  if (choose() % 3 === 0) {
    parts.splice(choose() % (parts.length + 1), 0, unknownFields[choose() % 6] as Buffer);
  }
  return Buffer.concat(parts);
}

const reordered = fc
  .tuple(merged, fc.array(fc.nat(), { minLength: 8, maxLength: 64 }))
  .map(([bytes, choices]) => {
    let next = 0;
    return reorder(CheckRequestSchema, bytes, () => choices[next++ % choices.length] as number);
  });

test("a well-formed message is read as protobuf-es reads it", () => {
  let accepted = 0;
  fc.assert(
    fc.property(reordered, (bytes) => {
      const { oracle, ours, invalidUtf8 } = both(bytes);
      expect(invalidUtf8).toBe(false);
      expect(ours).toEqual(oracle);
      if (ours !== "denied") accepted += 1;
    }),
    { numRuns: 3000 },
  );
  expect(accepted).toBeGreaterThan(1000);
});

const mutation = fc.record({
  type: fc.constantFrom("flip", "cut", "duplicate", "drop", "insert", "set"),
  at: fc.nat(),
  length: fc.integer({ min: 1, max: 40 }),
  byte: fc.constantFrom(0, 1, 2, 3, 4, 7, 8, 0x0a, 0x12, 0x1a, 0x22, 0x7f, 0x80, 0xc3, 0xff),
});

function mutate(bytes: Buffer, step: { type: string; at: number; length: number; byte: number }) {
  const at = bytes.length === 0 ? 0 : step.at % bytes.length;
  const head = bytes.subarray(0, at);
  const span = bytes.subarray(at, at + step.length);
  const tail = bytes.subarray(at + step.length);
  switch (step.type) {
    case "cut":
      return Buffer.from(head);
    case "duplicate":
      return Buffer.concat([head, span, span, tail]);
    case "drop":
      return Buffer.concat([head, tail]);
    case "insert":
      return Buffer.concat([head, Buffer.from([step.byte]), bytes.subarray(at)]);
    case "set":
      return Buffer.concat([head, Buffer.from([step.byte]), bytes.subarray(at + 1)]);
    default: {
      const flipped = Buffer.from(bytes);
      if (at < flipped.length) flipped[at] = (flipped[at] as number) ^ (1 << (step.length % 8));
      return flipped;
    }
  }
}

test("a mutated message is read as protobuf-es reads it, or refused", () => {
  let accepted = 0;
  let refused = 0;
  fc.assert(
    fc.property(reordered, fc.array(mutation, { minLength: 1, maxLength: 3 }), (bytes, steps) => {
      const { oracle, ours, invalidUtf8 } = both(steps.reduce(mutate, bytes));
      if (ours === "denied") {
        refused += 1;
        return;
      }
      accepted += 1;
      expect(oracle).not.toBe("denied");
      // A text that nobody reads may be no UTF-8, and a target is read as bytes.
      if (!invalidUtf8) expect(ours).toEqual(oracle);
    }),
    { numRuns: 6000 },
  );
  expect(accepted).toBeGreaterThan(150);
  expect(refused).toBeGreaterThan(300);
});

test("every prefix of a message is read as protobuf-es reads it, or refused", () => {
  fc.assert(
    fc.property(reordered, (bytes) => {
      for (let length = 0; length < bytes.length; length++) {
        const { oracle, ours, invalidUtf8 } = both(bytes.subarray(0, length));
        if (ours !== "denied" && !invalidUtf8) expect(ours).toEqual(oracle);
        if (oracle === "denied") expect(ours).toBe("denied");
      }
    }),
    { numRuns: 60 },
  );
});

test("arbitrary bytes never make the scanner throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const { oracle, ours } = both(bytes);
      if (oracle === "denied") expect(ours).toBe("denied");
    }),
    { numRuns: 3000 },
  );
});
