import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeBase64 } from "./binary.ts";

test.each([
  ["nothing", "", ""],
  ["T-CON-60", "QUJD", "ABC"],
  ["one byte", "QQ==", "A"],
  ["two bytes", "QUI=", "AB"],
  ["high bytes", "//79", "\u00ff\u00fe\u00fd"],
  ["unused bits set", "QR==", "A"],
])("VAL-6 %s", (_why, text, bytes) => {
  expect(decodeBase64(text)).toBe(bytes);
});

test.each([
  ["no padding", "QQ"],
  ["half a padding", "QQ="],
  ["padding alone", "===="],
  ["padding in the middle", "QQ==QQ=="],
  ["too much padding", "Q==="],
  ["the URL-safe alphabet", "-_79"],
  ["a blank", "QU D"],
  ["a newline", "QUJD\n"],
  ["a character beyond ASCII", "QUJé"],
])("VAL-6 no base64: %s", (_why, text) => {
  expect(decodeBase64(text)).toBeNull();
});

test("any bytes come back", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const encoded = Buffer.from(bytes).toString("base64");
      expect(decodeBase64(encoded)).toBe(Buffer.from(bytes).toString("latin1"));
    }),
  );
});
