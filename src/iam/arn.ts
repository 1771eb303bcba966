import { type Parsed, quote } from "./problem.ts";

/**
 * An Amazon Resource Name as its six fields; the first is always `arn`. Frozen. Colons and slashes
 * after the fifth colon belong to `resource` (iam-semantics 3.3), so a request ARN is built from
 * fields and never split again (ARN-2).
 */
export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  readonly resource: string;
}

/** Returns a frozen ARN of the given fields, unchecked. Allocates one object. */
export function createArn(
  partition: string,
  service: string,
  region: string,
  account: string,
  resource: string,
): Arn {
  return Object.freeze({ partition, service, region, account, resource });
}

/**
 * Returns the six fields of `text`, split at the first five colons, or the refusal `arn-syntax`.
 * Linear in the text. Nothing is said about whether the fields make sense.
 */
export function parseArn(text: string): Parsed<Arn> {
  const ends: number[] = [];
  for (let from = 0; ends.length < 5; ) {
    const colon = text.indexOf(":", from);
    if (colon < 0) return refuse(text);
    ends.push(colon);
    from = colon + 1;
  }
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = ends;
  if (text.slice(0, a) !== "arn") return refuse(text);
  const arn = createArn(
    text.slice(a + 1, b),
    text.slice(b + 1, c),
    text.slice(c + 1, d),
    text.slice(d + 1, e),
    text.slice(e + 1),
  );
  return { ok: true, value: arn };
}

/** Returns the text of `arn`. */
export function formatArn(arn: Arn): string {
  return `arn:${arn.partition}:${arn.service}:${arn.region}:${arn.account}:${arn.resource}`;
}

function refuse(text: string): Parsed<Arn> {
  return {
    ok: false,
    code: "arn-syntax",
    message: `expected arn:partition:service:region:account:resource, got ${quote(text)}`,
  };
}
