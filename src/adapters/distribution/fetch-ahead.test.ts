import { expect, test } from "vitest";
import { settle } from "../../../test/fakes/manual-clock.ts";
import { defaultBundleLimits } from "../../domain/bundle/limits.ts";
import { createPartRef, type PartRef } from "../../domain/bundle/manifest.ts";
import { type Carrier, failed } from "./carrier.ts";
import type { CarrierPath } from "./carrier-path.ts";
import { createObjectFetcher, fetchKeySets } from "./fetch-ahead.ts";

const digestOf = (n: number) => n.toString(16).padStart(64, "0");
const refs = (...numbers: number[]): PartRef[] =>
  numbers.map((n) =>
    createPartRef({ type: "account-index", account: String(n).padStart(12, "0") }, digestOf(n), n),
  );

/** A carrier whose answers come when the test says so. */
class SlowCarrier implements Carrier {
  readonly asked: { readonly path: CarrierPath; readonly maxBytes: number }[] = [];
  readonly #answers: (() => void)[] = [];

  async get(path: CarrierPath, maxBytes: number): ReturnType<Carrier["get"]> {
    this.asked.push({ path, maxBytes });
    await new Promise<void>((resolve) => this.#answers.push(resolve));
    if (path.type !== "object") return failed("network", "none");
    return { ok: true, bytes: Buffer.from(path.digest) };
  }

  get open(): number {
    return this.#answers.length;
  }

  async answer(): Promise<void> {
    for (const resolve of this.#answers.splice(0)) resolve();
    await settle();
  }

  async close(): Promise<void> {}
}

const request = (round: readonly PartRef[], index: number) => {
  const ref = round[index];
  if (ref === undefined) throw new Error("is in the round");
  return { digest: ref.digest, name: ref.name, maxFrameBytes: 1_000, round };
};

test("of a round the next eight are on their way, each asked for once and within its own bound", async () => {
  const carrier = new SlowCarrier();
  const fetchObject = createObjectFetcher(carrier, new Map());
  const round = refs(...Array.from({ length: 30 }, (_, i) => i + 1));
  for (const [i, { digest }] of round.entries()) {
    const frame = fetchObject(request(round, i));
    expect(carrier.open).toBeLessThanOrEqual(8);
    await carrier.answer();
    expect(Buffer.from((await frame) ?? []).toString()).toBe(digest);
  }
  const digests = carrier.asked.map(({ path }) => path.type === "object" && path.digest);
  expect(digests).toEqual(round.map(({ digest }) => digest));
  expect(carrier.asked[7]?.maxBytes).toBeLessThan(1_000);
});

test("what came with the head is not asked for", async () => {
  const carrier = new SlowCarrier();
  const round = refs(1, 2, 3);
  const inline = new Map([[digestOf(2), new Uint8Array([7])]]);
  const fetchObject = createObjectFetcher(carrier, inline);
  expect(await fetchObject(request(round, 1))).toEqual(new Uint8Array([7]));
  const asked = carrier.asked.map(({ path }) => path.type === "object" && path.digest);
  expect(asked).toEqual([digestOf(3)]);
});

test("equal bytes under two ids are two requests, and both are answered", async () => {
  const carrier = new SlowCarrier();
  const fetchObject = createObjectFetcher(carrier, new Map());
  const round = refs(1, 1, 2);
  for (const i of [0, 1, 2]) {
    const frame = fetchObject(request(round, i));
    await carrier.answer();
    await carrier.answer();
    expect(await frame).not.toBeNull();
  }
});

test("key sets are asked for one after the other until there is none", async () => {
  const asked: number[] = [];
  const carrier: Carrier = {
    async get(path) {
      const number = path.type === "key-set" ? path.number : 0;
      asked.push(number);
      return number <= 5 ? { ok: true, bytes: new Uint8Array([number]) } : failed("network", "404");
    },
    close: async () => {},
  };
  const keySets = await fetchKeySets(carrier, "o-acme", 2, defaultBundleLimits);
  expect([...keySets.keys()]).toEqual([3, 4, 5]);
  expect(asked).toEqual([3, 4, 5, 6]);
});
