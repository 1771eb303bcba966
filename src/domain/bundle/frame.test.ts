import { constants, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { compressFrame, inflateFrame, maxFrameBytes } from "./frame.ts";

const content = Buffer.from("one policy, ".repeat(100));
const frame = compressFrame(content);
const refused = { ok: false, code: "bundle-digest", partId: "p" };

test("a frame gives back what was compressed", () => {
  const inflated = inflateFrame(frame, content.length, true, "p");
  expect(inflated.ok && Buffer.from(inflated.bytes)).toEqual(content);
});

test.each([
  { why: "one byte longer than declared", bytes: frame, declared: content.length - 1 },
  { why: "one byte shorter than declared", bytes: frame, declared: content.length + 1 },
  { why: "cut", bytes: frame.subarray(0, -3), declared: content.length },
  { why: "empty", bytes: new Uint8Array(0), declared: content.length },
  { why: "no frame at all", bytes: Buffer.from("not zstd"), declared: content.length },
  { why: "declared to be empty", bytes: frame, declared: 0 },
])("BND-008 a frame is refused: $why", ({ bytes, declared }) => {
  expect(inflateFrame(bytes, declared, true, "p")).toMatchObject(refused);
});

test("BND-008 a bomb stops at the declared length, not at its own", () => {
  const bomb = zstdCompressSync(Buffer.alloc(64 << 20));
  expect(bomb.length).toBeLessThan(maxFrameBytes(10_000));
  const before = process.memoryUsage.rss();
  for (let i = 0; i < 20; i++) {
    expect(inflateFrame(bomb, 10_000, true, "p")).toMatchObject(refused);
  }
  expect(process.memoryUsage.rss() - before).toBeLessThan(48 << 20);
});

test("BND-008 a frame that asks for a window above 8 MiB is refused", () => {
  const noise = Buffer.alloc(17 << 20, "abcdefg");
  const wide = zstdCompressSync(noise, { params: { [constants.ZSTD_c_windowLog]: 24 } });
  expect(inflateFrame(wide, noise.length, true, "p")).toMatchObject(refused);
});

test("BND-039 more compressed bytes than the declared length can need are not even inflated", () => {
  const padded = Buffer.concat([frame, Buffer.alloc(maxFrameBytes(content.length))]);
  expect(inflateFrame(padded, content.length, true, "p")).toMatchObject({
    ...refused,
    detail: expect.stringContaining("compressed bytes"),
  });
});
