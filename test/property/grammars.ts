import { decodeBase64 } from "../../src/iam/condition/binary.ts";
import { parseBool } from "../../src/iam/condition/bool.ts";
import { compareInstants, parseInstant } from "../../src/iam/condition/date.ts";
import {
  containsAddress,
  parseIpAddress,
  parseIpBlock,
} from "../../src/iam/condition/ip-address.ts";
import { compareDecimals, parseDecimal } from "../../src/iam/condition/numeric.ts";
import { glob, patternOf, piecesOf } from "../../src/iam/evaluation/reference-text.ts";
import {
  addressOf,
  bitsOf,
  blockOf,
  booleanOf,
  decimalOf,
  holds,
  instantOf,
} from "../../src/iam/evaluation/reference-value.ts";
import { createGlob, createWork, matchGlob, parseGlob } from "../../src/iam/glob.ts";

/** Two readings of one grammar: what may be seen of two values, by the engine and by the reference. */
export interface Grammar {
  readonly name: string;
  readonly samples: readonly string[];
  readonly alphabet: string;
  engine(left: string, right: string): unknown;
  reference(left: string, right: string): unknown;
}

const noKeys = new Map<string, never>();

export const grammars: readonly Grammar[] = [
  {
    name: "GLOB-1 patterns and texts",
    samples: [
      "",
      "a",
      "ab",
      "a*b",
      "*a?",
      "?b*",
      "ab*b?*a",
      "**",
      "aabab",
      "b\n\u{1F600}a",
      "a\ud83d",
    ],
    alphabet: "aaabb**??\n\u{1F600}",
    engine: (left, right) => matchGlob(createGlob(parseGlob(left)), right, createWork()),
    reference: (left, right) => glob(patternOf(piecesOf(left, "2008-10-17"), noKeys) ?? [], right),
  },
  {
    name: "VAL-1 numbers",
    samples: ["0", "-0.0", "10", "010.50", "-1.5", "9007199254740993", "1".repeat(64), "0.0001"],
    alphabet: "0019.-+e x",
    engine: (left, right) => {
      const [a, b] = [parseDecimal(left), parseDecimal(right)];
      return a && b ? Math.sign(compareDecimals(a, b)) : [a === null, b === null];
    },
    reference: (left, right) => order(decimalOf(left), decimalOf(right)),
  },
  {
    name: "VAL-2 dates",
    samples: [
      "2024",
      "2024-02",
      "2000-02-29",
      "1900-02-28",
      "2024-06-01T00:00Z",
      "2024-06-01T23:59:59.123456789+14:30",
      "0001-01-01T00:00:00-23:59",
      "9999-12-31T23:59:59Z",
      "1717200000",
      "-1.5",
      "253402300799",
      "-62135596800",
    ],
    alphabet: "00129-:.TZ+ ",
    engine: (left, right) => {
      const [a, b] = [parseInstant(left), parseInstant(right)];
      return a && b ? Math.sign(compareInstants(a, b)) : [a === null, b === null];
    },
    reference: (left, right) => order(instantOf(left), instantOf(right)),
  },
  {
    name: "VAL-3 truth values",
    samples: ["true", "FALSE", "True", "fAlse"],
    alphabet: "truefalsTRUEFALS \u017f",
    engine: (left, right) => [parseBool(left), parseBool(right)],
    reference: (left, right) => [booleanOf(left), booleanOf(right)],
  },
  {
    name: "VAL-4 addresses in blocks",
    samples: [
      "10.1.2.3",
      "10.0.0.0/8",
      "0.0.0.0/0",
      "255.255.255.255/32",
      "2001:db8::1",
      "2001:db8:8000::/33",
      "::",
      "::/0",
      "1:2:3:4:5:6:7:8",
      "::ffff:10.1.2.3",
      "::ffff:a01:203/104",
      "fe80::1/128",
      "1:2:3:4:5:6:1.2.3.4/97",
      "1:2:3:4::5:6:7:8::9",
    ],
    alphabet: "00128af.:/%",
    engine: (left, right) => {
      const [block, address] = [parseIpBlock(left), parseIpAddress(right)];
      return block && address
        ? containsAddress(block, address)
        : [block === null, address === null];
    },
    reference: (left, right) => {
      const [block, address] = [blockOf(left), addressOf(right)];
      return block && address ? holds(block, address) : [block === null, address === null];
    },
  },
  {
    name: "VAL-6 base64",
    samples: ["", "QQ==", "QUI=", "QUJD", "QUJDRA==", "+/+/", "QR=="],
    alphabet: "AQUJ+/=- ",
    engine: (left, right) => {
      const [a, b] = [decodeBase64(left), decodeBase64(right)];
      return [a === null, b === null, a === b, a === null ? null : a.length * 8];
    },
    reference: (left, right) => {
      const [a, b] = [bitsOf(left), bitsOf(right)];
      return [a === null, b === null, a === b, a === null ? null : a.length];
    },
  },
];

function order(a: bigint | null, b: bigint | null): unknown {
  if (a === null || b === null) return [a === null, b === null];
  return a < b ? -1 : a > b ? 1 : 0;
}
