import { expect, test } from "vitest";
import { formatLocalReply } from "./local-reply.ts";

const http = { method: "GET", contentType: "" };
const grpc = { method: "POST", contentType: "application/grpc" };
const json = [["content-type", "application/json"]] as const;

test.each([
  [400, "13"],
  [401, "16"],
  [403, "7"],
  [404, "12"],
  [429, "14"],
  [502, "14"],
  [503, "14"],
  [504, "14"],
  [500, "2"],
  [418, "2"],
])("to a gRPC caller %i is grpc-status %s in a 200", (status, grpcStatus) => {
  expect(formatLocalReply({ status, headers: [], body: "" }, grpc)).toEqual({
    status: 200,
    headers: [
      ["content-type", "application/grpc"],
      ["grpc-status", grpcStatus],
    ],
    body: "",
  });
});

test("a grpc-status of the reply wins, and its body becomes the message, percent-encoded", () => {
  const reply = {
    status: 400,
    headers: [...json, ["grpc-status", "3"], ["x-a", "1"]] as const,
    body: "100% café\n",
  };
  expect(formatLocalReply(reply, grpc)).toEqual({
    status: 200,
    headers: [
      ["grpc-status", "3"],
      ["x-a", "1"],
      ["content-type", "application/grpc"],
      ["grpc-message", "100%25 caf%C3%A9%0A"],
    ],
    body: "",
  });
});

test.each([
  { contentType: "application/grpc+proto", isGrpc: true },
  { contentType: "application/grpc-web", isGrpc: false },
  { contentType: "application/grpcx", isGrpc: false },
  { contentType: "application/grpc; charset=x", isGrpc: false },
])("$contentType is taken for gRPC: $isGrpc", ({ contentType, isGrpc }) => {
  const reply = formatLocalReply({ status: 403, headers: [], body: "" }, { ...grpc, contentType });
  expect(reply.status).toBe(isGrpc ? 200 : 403);
});

test.each([
  {
    why: "text unless a header says otherwise",
    reply: { status: 403, headers: [], body: "né" },
    to: http,
    want: {
      status: 403,
      headers: [
        ["content-length", "3"],
        ["content-type", "text/plain"],
      ],
      body: "né",
    },
  },
  {
    why: "its own content type",
    reply: { status: 401, headers: json, body: "{}" },
    to: http,
    want: {
      status: 401,
      headers: [
        ["content-type", "application/json"],
        ["content-length", "2"],
      ],
      body: "{}",
    },
  },
  {
    why: "no content type without a body",
    reply: { status: 503, headers: json, body: "" },
    to: http,
    want: { status: 503, headers: [], body: "" },
  },
  {
    why: "no body to HEAD, but its length",
    reply: { status: 403, headers: json, body: "{}" },
    to: { ...http, method: "HEAD" },
    want: {
      status: 403,
      headers: [
        ["content-type", "application/json"],
        ["content-length", "2"],
      ],
      body: "",
    },
  },
])("to others: $why", ({ reply, to, want }) => {
  expect(formatLocalReply(reply, to)).toEqual(want);
});
