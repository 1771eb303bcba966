import { foldAscii } from "../../iam/ascii.ts";
import type { JsonValue } from "../../iam/policy/json.ts";
import { type Parsed, quote } from "../../iam/problem.ts";
import type { Claims, ClaimValue } from "../credentials/credential.ts";
import { parseJsonObject } from "../credentials/json-object.ts";
import { maxTags, ownTagKeyPattern, tagValuePattern } from "../directory/tag-text.ts";
import { isSessionName } from "./session-name.ts";

type Tags = ReadonlyMap<string, string>;

/** What a token asks its session to carry (TAG-5). */
export interface SessionClaims {
  readonly tags: Tags;
  readonly transitiveTagKeys: readonly string[];
  readonly sourceIdentity: string | null;
}

const tagsClaim = "https://aws.amazon.com/tags";
const tagPrefix = `${tagsClaim}/principal_tags/`;
const transitiveClaim = `${tagsClaim}/transitive_tag_keys`;
const sourceIdentityClaim = "https://aws.amazon.com/source_identity";

/**
 * Returns the session tags, transitive keys and source identity in the claims of a token, or why they
 * are refused: `session-tags` for a malformed claim, more than one value for a tag, a key or value that
 * AWS would not take, two keys that differ only in case, both forms of the claim with different
 * contents; `source-identity` for one that is no session name.
 *
 * Both forms are read, `https://aws.amazon.com/tags` with the members `principal_tags` and
 * `transitive_tag_keys`, and the flattened `https://aws.amazon.com/tags/principal_tags/<key>`.
 */
export function readSessionClaims(claims: Claims): Parsed<SessionClaims> {
  const nested = readNested(claims.get(tagsClaim));
  if (!nested.ok) return nested;
  const flat = readFlattened(claims);
  if (!flat.ok) return flat;
  const given = [nested.value, flat.value].filter((one) => one !== null);
  const [first = none, second = first] = given;
  if (!isSame(first, second)) {
    return refuse("expected the nested and the flattened tags to say the same");
  }
  const tags = checkTags(first.tags);
  if (!tags.ok) return tags;
  const identity = claims.get(sourceIdentityClaim);
  if (identity !== undefined && (identity.type !== "string" || !isSessionName(identity.text))) {
    const message = "expected 2 to 64 of `A-Z a-z 0-9 _ + = , . @ -` as source identity";
    return { ok: false, code: "source-identity", message };
  }
  const sourceIdentity = identity?.type === "string" ? identity.text : null;
  return {
    ok: true,
    value: { tags: tags.value, transitiveTagKeys: first.transitive, sourceIdentity },
  };
}

/** Returns `tags` if AWS would take them as session tags, else `session-tags`. */
export function checkTags(tags: readonly (readonly [string, string])[]): Parsed<Tags> {
  if (tags.length > maxTags) {
    return refuse(`expected at most ${maxTags} tags, got ${tags.length}`);
  }
  const folded = new Set<string>();
  for (const [key, value] of tags) {
    // in UTF-16 units, where the patterns count code points
    const isShort = key.length <= 128 && value.length <= 256;
    const fits = isShort && ownTagKeyPattern.test(key) && tagValuePattern.test(value);
    if (!fits) return refuse(`expected a tag's key and value as AWS takes them, got ${quote(key)}`);
    if (folded.has(foldAscii(key))) return refuse(`the tag key ${quote(key)} stands twice`);
    folded.add(foldAscii(key));
  }
  return { ok: true, value: new Map(tags) };
}

/** Returns the principal tags of a session: later ones win, and keys compare ignoring case (TAG-1). */
export function mergeTags(roleTags: Tags, sessionTags: Tags): Tags {
  if (sessionTags.size === 0) return roleTags;
  const taken = new Set([...sessionTags.keys()].map(foldAscii));
  const kept = [...roleTags].filter(([key]) => !taken.has(foldAscii(key)));
  return new Map([...kept, ...sessionTags]);
}

interface GivenTags {
  readonly tags: readonly (readonly [string, string])[];
  readonly transitive: readonly string[];
}

const none: GivenTags = { tags: [], transitive: [] };

function readNested(claim: ClaimValue | undefined): Parsed<GivenTags | null> {
  if (claim === undefined) return { ok: true, value: null };
  const parsed = claim.type === "object" ? parseJsonObject(claim.json) : null;
  if (parsed === null || !parsed.ok) return refuse("expected an object of tags");
  const principalTags = parsed.value.members.get("principal_tags");
  const keys = parsed.value.members.get("transitive_tag_keys");
  const transitive = keys === undefined ? [] : textsOf(keys);
  if (transitive === null) return refuse("expected a list of transitive tag keys");
  if (principalTags === undefined) return { ok: true, value: { tags: [], transitive } };
  if (principalTags.type !== "object") return refuse("expected an object of principal tags");
  const tags: [string, string][] = [];
  for (const { key, value } of principalTags.entries) {
    const values = textsOf(value);
    if (values?.length !== 1) return refuse(`expected one value for the tag ${quote(key)}`);
    tags.push([key, values[0] ?? ""]);
  }
  return { ok: true, value: { tags, transitive } };
}

function readFlattened(claims: Claims): Parsed<GivenTags | null> {
  const tags: [string, string][] = [];
  for (const [name, claim] of claims) {
    if (!name.startsWith(tagPrefix)) continue;
    const key = name.slice(tagPrefix.length);
    const values =
      claim.type === "list" ? claim.items : claim.type === "string" ? [claim.text] : [];
    if (values.length !== 1) return refuse(`expected one value for the tag ${quote(key)}`);
    tags.push([key, values[0] ?? ""]);
  }
  const keys = claims.get(transitiveClaim);
  if (keys !== undefined && keys.type !== "list" && keys.type !== "string") {
    return refuse("expected a list of transitive tag keys");
  }
  if (tags.length === 0 && keys === undefined) return { ok: true, value: null };
  const transitive = keys === undefined ? [] : keys.type === "list" ? keys.items : [keys.text];
  return { ok: true, value: { tags, transitive } };
}

/** Returns the texts of a JSON text or list of texts, else null. */
function textsOf(value: JsonValue): readonly string[] | null {
  if (value.type === "string") return [value.value];
  if (value.type !== "array") return null;
  const texts = value.items.flatMap((item) => (item.type === "string" ? [item.value] : []));
  return texts.length === value.items.length ? texts : null;
}

function isSame(a: GivenTags, b: GivenTags): boolean {
  return a === b || canonical(a) === canonical(b);
}

function canonical({ tags, transitive }: GivenTags): string {
  return JSON.stringify([[...tags].sort(), [...transitive].sort()]);
}

function refuse(message: string): { ok: false; code: string; message: string } {
  return { ok: false, code: "session-tags", message };
}
