import { create, toBinary } from "@bufbuild/protobuf";
import { CheckRequestSchema } from "../../src/gen/envoy/service/auth/v3/external_auth_pb.ts";
import { policyOf, shopName, userName } from "./organization.ts";
import type { TokenSource } from "./tokens.ts";

/** Bytes of a CheckRequest: the message of performance 1.1. */
export const messageBytes = 1536;

const host = "orders.shop.svc.cluster.local";
const spiffeId = "spiffe://cluster.local/ns/shop/sa/checkout";

/** Messages of one bench run, all of one size, with what is needed to make more of them. */
export interface CheckCorpus {
  /** Serialised CheckRequests whose answer is an allow: users, tokens and paths rotate. */
  readonly allowed: readonly Buffer[];
  /** One whose answer is a denial by the SCP. */
  readonly denied: Buffer;
  /** Where the ten digits of the order's number stand in each of `allowed`, first place first. */
  readonly orderDigits: readonly (readonly number[])[];
  readonly tokens: readonly string[];
}

/** Digits of an order's number: enough for a number of its own in each Check of a run. */
export const orderDigits = 10;

/** Returns `count` messages of `users` users, one token a user. */
export function createCheckCorpus(source: TokenSource, users: number, count: number): CheckCorpus {
  const tokens = Array.from({ length: users }, (_, user) => source.issue(userName(user)));
  const messageOf = (n: number, method: string): Buffer => {
    const user = n % users;
    const shop = shopName(policyOf(user, Math.floor(n / users)));
    return checkRequest(method, targetOf(shop, n), tokens[user] ?? "");
  };
  const allowed = Array.from({ length: count }, (_, n) => messageOf(n, "GET"));
  return {
    allowed,
    denied: messageOf(0, "DELETE"),
    orderDigits: allowed.map((message, n) => placesOf(message, orderNumber(n))),
    tokens,
  };
}

/** A target of 75 characters. */
function targetOf(shop: string, n: number): string {
  return `/v1/shops/${shop}/orders/${orderNumber(n)}?expand=lines,parcels,shipping,taxes`;
}

/** Unlikely to stand anywhere else in a message. */
function orderNumber(n: number): string {
  return `7${String(n).padStart(orderDigits - 1, "0")}`;
}

function placesOf(message: Buffer, text: string): number[] {
  const places: number[] = [];
  for (let at = message.indexOf(text); at >= 0; at = message.indexOf(text, at + 1)) places.push(at);
  return places;
}

/** The shape that Envoy sends by default (joined headers), 15 of them, padded to `messageBytes`. */
function checkRequest(method: string, target: string, token: string): Buffer {
  const encode = (padding: string): Buffer => {
    const headers: Record<string, string> = {
      ":authority": host,
      ":method": method,
      ":path": target,
      ":scheme": "https",
      accept: "application/json",
      "accept-encoding": "gzip, br",
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
      "user-agent": "checkout/3.14.1 (linux; amd64)",
      "x-envoy-expected-rq-timeout-ms": "15000",
      "x-forwarded-for": "10.1.2.3",
      "x-forwarded-proto": "https",
      "x-request-id": "2d1f7f4e-9c3a-4f61-8d55-0a1b2c3d4e5f",
      "x-session": padding,
    };
    const message = create(CheckRequestSchema, {
      attributes: {
        source: { address: socket("10.1.2.3", 43_210), principal: spiffeId },
        destination: {
          address: socket("10.1.9.9", 8443),
          principal: "spiffe://cluster.local/ns/shop/sa/orders",
        },
        request: {
          time: { seconds: BigInt(Math.floor(Date.now() / 1000)), nanos: 123_456_789 },
          http: {
            id: "1234567890123456789",
            method,
            headers,
            path: target,
            host,
            scheme: "https",
            protocol: "HTTP/2",
            size: -1n,
          },
        },
      },
    });
    return Buffer.from(toBinary(CheckRequestSchema, message));
  };
  // The lengths in front of the padding have two bytes whether or not it is there.
  const bare = encode("").length;
  for (let padding = messageBytes - bare; padding > 0; padding--) {
    const message = encode("s".repeat(padding));
    if (message.length === messageBytes) return message;
  }
  throw new Error(`a message without padding has ${bare} bytes of ${messageBytes}`);
}

function socket(address: string, port: number) {
  return {
    address: {
      case: "socketAddress" as const,
      value: { address, portSpecifier: { case: "portValue" as const, value: port } },
    },
  };
}
