import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { CheckResponseSchema } from "../../gen/envoy/service/auth/v3/external_auth_pb.ts";
import { readCheckReply } from "./check-reply.ts";
import { internalDenial } from "./denial.ts";

type Init = MessageInitShape<typeof CheckResponseSchema>;

function read(init: Init) {
  return readCheckReply(toBinary(CheckResponseSchema, create(CheckResponseSchema, init)));
}

const plainOk = { type: "ok", set: [], remove: [], responseHeaders: [] };
const refused = { case: "deniedResponse", value: { status: { code: 401 } } } as const;

test.each<{ why: string; init: Init; reply: object }>([
  { why: "an empty message allows", init: {}, reply: plainOk },
  { why: "code 0 allows", init: { status: { code: 0 } }, reply: plainOk },
  {
    why: "code 0 with a denied_response allows",
    init: { status: { code: 0 }, httpResponse: refused },
    reply: plainOk,
  },
  {
    why: "an ok_response changes the request",
    init: {
      httpResponse: {
        case: "okResponse",
        value: {
          headers: [
            { header: { key: "X-Set", value: "1" }, append: false },
            { header: { key: "x-append", value: "2" }, append: true },
            { header: { key: "x-neither", value: "3" } },
          ],
          headersToRemove: ["X-Gone", ":path", "host"],
          responseHeadersToAdd: [{ header: { key: "x-added", value: "4" } }],
        },
      },
    },
    reply: {
      type: "ok",
      set: [
        { name: "x-set", value: "1", append: false },
        { name: "x-append", value: "2", append: true },
        { name: "x-neither", value: "3", append: false },
      ],
      remove: ["x-gone"],
      responseHeaders: [{ name: "x-added", value: "4", append: false }],
    },
  },
  {
    why: "any other code denies, 403 where no status is named",
    init: { status: { code: 7 } },
    reply: { type: "denied", status: 403, headers: [], body: "" },
  },
  {
    why: "an ok_response beside another code is not looked at",
    init: { status: { code: 2 }, httpResponse: { case: "okResponse", value: {} } },
    reply: { type: "denied", status: 403, headers: [], body: "" },
  },
  {
    why: "what is appended to a denial is lost",
    init: {
      status: { code: 16 },
      httpResponse: {
        case: "deniedResponse",
        value: {
          status: { code: 401 },
          headers: [
            { header: { key: "www-authenticate", value: "a" }, append: false },
            { header: { key: "www-authenticate", value: "b" } },
            { header: { key: "x-lost", value: "c" }, append: true },
          ],
          body: "no",
        },
      },
    },
    reply: {
      type: "denied",
      status: 401,
      headers: [
        ["www-authenticate", "a"],
        ["www-authenticate", "b"],
      ],
      body: "no",
    },
  },
  {
    why: "an error_response is no decision",
    init: {
      status: { code: 13 },
      httpResponse: { case: "errorResponse", value: { status: { code: 503 } } },
    },
    reply: { type: "error", detail: "error_response" },
  },
])("$why", ({ init, reply }) => {
  expect(read(init)).toEqual(reply);
});

test("bytes that are no message are no decision", () => {
  expect(readCheckReply(Buffer.from("ffffffff", "hex")).type).toBe("error");
});

test("what our encoder says of a failure inside is a denial", () => {
  const reply = readCheckReply(internalDenial("0123456789abcdef-00000000001"));
  expect(reply).toMatchObject({ type: "denied", status: 503 });
});
