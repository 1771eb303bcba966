// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables are what is generated
import type { ContextValue } from "../../src/iam/request-context.ts";
import type { ConditionDraft } from "./draft.ts";
import type { Random } from "./random.ts";

/** A family of operators: its names, what a policy may compare with, what a request may hold. */
interface Family {
  readonly operators: readonly string[];
  readonly values: readonly string[];
  /** Request values outside the grammar, which equal nothing (CON-4). */
  readonly malformed: readonly string[];
  readonly keys: readonly string[];
}

const families: readonly Family[] = [
  {
    operators: [
      "StringEquals",
      "StringNotEquals",
      "StringEqualsIgnoreCase",
      "StringNotEqualsIgnoreCase",
      "StringLike",
      "StringNotLike",
    ],
    values: [
      "",
      "a",
      "A",
      "b",
      "blue",
      "bob",
      "a*",
      "*",
      "?",
      "a?c",
      "abc",
      "\u00e9",
      "\u00c9",
      "${*}",
      "${aws:username}",
      "${aws:PrincipalTag/Team}",
      "${aws:PrincipalTag/Team, 'blue'}",
      "b${aws:RequestTag/T}*",
      "*${aws:username}*b",
      "?${aws:RequestTag/T}${aws:username}",
      "b?b${aws:PrincipalTag/Team, ''}*",
      "${mesh:JwtClaim/groups}",
      "${aws:TagKeys, 'a'}",
    ],
    malformed: ["\ud800"],
    keys: ["aws:PrincipalTag/Team", "aws:RequestTag/T", "aws:username", "mesh:RequestHeader/x-env"],
  },
  {
    operators: [
      "NumericEquals",
      "NumericNotEquals",
      "NumericLessThan",
      "NumericLessThanEquals",
      "NumericGreaterThan",
      "NumericGreaterThanEquals",
    ],
    values: ["0", "-0", "-1.5", "0.50", "0.5", "9", "10", "10.0", "010", "9007199254740993"],
    malformed: ["", "abc", "1e3", "+1", "9007199254740992x"],
    keys: ["aws:MultiFactorAuthAge", "mesh:RequestSize", "sts:DurationSeconds"],
  },
  {
    operators: [
      "DateEquals",
      "DateNotEquals",
      "DateLessThan",
      "DateLessThanEquals",
      "DateGreaterThan",
      "DateGreaterThanEquals",
    ],
    values: [
      "2024",
      "2024-06",
      "2024-06-01",
      "2024-06-01T00:00:00Z",
      "2024-06-01T02:00+02:00",
      "2024-06-01T00:00:00.000000001Z",
      "1717200000",
      "1717200000.5",
      "-1.5",
    ],
    malformed: ["", "2024-02-30", "Jan 1 2024", "1717200000000000"],
    keys: ["aws:CurrentTime", "aws:EpochTime", "aws:TokenIssueTime"],
  },
  {
    operators: ["Bool"],
    values: ["true", "false", "TRUE", "False"],
    malformed: ["", "yes", "1"],
    keys: ["aws:SecureTransport", "aws:MultiFactorAuthPresent", "aws:PrincipalIsAWSService"],
  },
  {
    operators: ["BinaryEquals"],
    values: ["", "QUJD", "QUI=", "QQ=="],
    malformed: ["QQ", "*", "QUI"],
    keys: ["aws:RequestTag/T", "aws:PrincipalTag/Team"],
  },
  {
    operators: ["IpAddress", "NotIpAddress"],
    values: [
      "10.0.0.0/8",
      "10.1.2.3",
      "10.1.2.0/25",
      "0.0.0.0/0",
      "::/0",
      "2001:db8::/33",
      "2001:0DB8:0:0:0:0:0:1",
      "::ffff:10.0.0.0/104",
      "::ffff:10.1.2.3",
    ],
    malformed: ["", "010.1.2.3", "10.1.2.3/32/1", "fe80::1%eth0", "127.1"],
    keys: ["aws:SourceIp"],
  },
  {
    operators: ["ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals"],
    values: [
      "arn:aws:sns:us-east-1:111111111111:t1",
      "arn:aws:sns:*:*:t?",
      "arn:aws:sns:*:*:*",
      "arn:aws:iam::*:role/*",
      "arn:aws:iam::111111111111:user/bob",
      "arn:aws:iam::111111111111:user/${aws:username}",
      "arn:aws:sns:us-east-1:${aws:PrincipalTag/Team}:t1",
      "arn:aws:*:*:1*${aws:PrincipalAccount}:?1",
      "arn:*:*:*:*:*",
    ],
    malformed: ["", "arn:aws:sns", "not-an-arn", "arn:aws:sns:us-east-1:111111111111:\ud800"],
    keys: ["aws:SourceArn", "aws:PrincipalArn"],
  },
];

/** Keys that hold many values, and one whose arity the provider declares. */
const multivaluedKeys = ["aws:TagKeys", "mesh:RequestQueryString/q"];
const configuredKey = "mesh:JwtClaim/groups";
const singleValuedKeys = families.flatMap(({ keys }) => keys);
const allKeys = [...new Set([...singleValuedKeys, ...multivaluedKeys, configuredKey])];

/** A value as a request would hold it: policies' wildcards and variables are only texts there. */
const requestValues = families.flatMap(({ keys, values, malformed }) =>
  keys.map((key) => ({ key, values, malformed })),
);

/** Returns the condition keys of a request, by lower-cased name; most of them present. */
export function generateKeys(random: Random): Map<string, ContextValue> {
  const keys = new Map<string, ContextValue>();
  const one = (): string => {
    const { values, malformed } = random.pick(requestValues);
    return random.pick(random.chance(0.12) ? malformed : values);
  };
  const many = (): string[] => {
    const { values, malformed } = random.pick(requestValues);
    return random.some([...values, ...malformed.slice(0, 1)], 0, 3);
  };
  for (const key of new Set(singleValuedKeys)) {
    if (!random.chance(0.6)) continue;
    const own = requestValues.filter((entry) => entry.key === key);
    const { values, malformed } = random.pick(own);
    const value = random.chance(0.1) ? one() : random.pick(random.chance(0.1) ? malformed : values);
    keys.set(key.toLowerCase(), { multivalued: false, values: [value] });
  }
  for (const key of multivaluedKeys) {
    if (random.chance(0.6)) keys.set(key.toLowerCase(), { multivalued: true, values: many() });
  }
  if (random.chance(0.7)) {
    const value = random.chance(0.5)
      ? { multivalued: true, values: many() }
      : { multivalued: false, values: [one()] };
    keys.set(configuredKey.toLowerCase(), value);
  }
  if (random.chance(0.5)) {
    keys.set("aws:principalaccount", { multivalued: false, values: ["111111111111"] });
  }
  return keys;
}

/**
 * Returns a Condition of up to two operators. Half of the values are taken from the request, where
 * the operator accepts them, so that conditions hold often enough to matter.
 */
export function generateCondition(
  random: Random,
  keys: ReadonlyMap<string, ContextValue>,
): ConditionDraft {
  const operators: [string, { [key: string]: readonly string[] }][] = [];
  for (let count = 1 + random.int(2); count > 0; count--) {
    operators.push(generateOperator(random, keys));
  }
  return Object.fromEntries(operators);
}

function generateOperator(
  random: Random,
  keys: ReadonlyMap<string, ContextValue>,
): [string, { [key: string]: readonly string[] }] {
  if (random.chance(0.06)) {
    return ["Null", { [random.pick(allKeys)]: [random.pick(["true", "false"])] }];
  }
  const operator = random.pick(families.flatMap((family) => family.operators));
  const family = families.find(({ operators }) => operators.includes(operator)) as Family;
  const quantifier = random.pick(["", "ForAllValues:", "ForAnyValue:"]);
  const suffix = random.pick(["", "IfExists"]);
  // a key that is always multivalued needs a set operator (SET-5)
  const anywhere =
    quantifier === ""
      ? [...singleValuedKeys, configuredKey]
      : [...multivaluedKeys, ...multivaluedKeys, configuredKey, ...family.keys];
  const chosen = random.chance(0.7) && quantifier === "" ? family.keys : anywhere;
  const wanted = new Set(random.some(chosen, 1, random.chance(0.1) ? 2 : 1));
  const block = [...wanted].map((key): [string, string[]] => [
    random.chance(0.1) ? key.toUpperCase() : key,
    generateValues(random, family, keys.get(key.toLowerCase())),
  ]);
  return [`${quantifier}${operator}${suffix}`, Object.fromEntries(block)];
}

function generateValues(random: Random, family: Family, held: ContextValue | undefined): string[] {
  const values = random.some(family.values, random.chance(0.05) ? 0 : 1, 3);
  // long lists are looked up in another way than short ones
  if (family.operators.includes("StringEquals") && random.chance(0.05)) {
    values.push(...Array.from({ length: 40 }, (_, index) => `v${index}`));
  }
  const known = held?.values.filter((value) => family.values.includes(value)) ?? [];
  if (known.length > 0 && random.chance(0.5)) values.push(...random.some(known, 1, 2));
  return values;
}
