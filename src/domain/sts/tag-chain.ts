import { foldAscii } from "../../iam/ascii.ts";
import { type Parsed, quote } from "../../iam/problem.ts";
import { maxTags } from "../directory/tag-text.ts";
import { checkTags, mergeTags } from "./session-tags.ts";

type Tags = ReadonlyMap<string, string>;

/** The tags of a session that is asked for with the credentials of another. */
export interface TagChain {
  /** What the caller passes. */
  readonly passed: Tags;
  /** Keys that the caller asks to be transitive, as passed. */
  readonly transitiveTagKeys: readonly string[];
  /** What the session carries on in its turn: inherited tags, and passed ones that are transitive. */
  readonly transitive: Tags;
}

/**
 * Returns the tags of a session whose caller passes `tags` and has inherited `inherited` (TAG-2), or the
 * refusal `session-tags`: what AWS would not take as a tag, a key that is inherited (in any case), a
 * transitive key that is neither passed nor inherited or stands twice, more than 50 tags together.
 *
 * Inherited tags stay transitive; keys compare ignoring case.
 */
export function chainTags(
  inherited: Tags,
  tags: readonly (readonly [string, string])[],
  transitiveTagKeys: readonly string[],
): Parsed<TagChain> {
  const checked = checkTags(tags);
  if (!checked.ok) return checked;
  const passed = checked.value;
  const count = passed.size + inherited.size;
  if (count > maxTags) {
    return refuse(`expected at most ${maxTags} tags with the inherited ones, got ${count}`);
  }
  const inheritedKeys = folded(inherited.keys());
  for (const key of passed.keys()) {
    if (inheritedKeys.has(foldAscii(key))) {
      return refuse(`the tag ${quote(key)} is inherited and cannot be passed again`);
    }
  }
  const asked = folded(transitiveTagKeys);
  if (asked.size < transitiveTagKeys.length) return refuse("a transitive tag key stands twice");
  const passedKeys = folded(passed.keys());
  for (const key of transitiveTagKeys) {
    if (passedKeys.has(foldAscii(key)) || inheritedKeys.has(foldAscii(key))) continue;
    return refuse(`expected transitive keys of tags that are passed, got ${quote(key)}`);
  }
  const carried = [...passed].filter(([key]) => asked.has(foldAscii(key)));
  const transitive = new Map([...inherited, ...carried]);
  return { ok: true, value: { passed, transitiveTagKeys, transitive } };
}

/** Returns a session's principal tags: the role's, under those passed, under those inherited (TAG-1). */
export function sessionTagsOf(roleTags: Tags, passed: Tags, inherited: Tags): Tags {
  return mergeTags(mergeTags(roleTags, passed), inherited);
}

/**
 * Returns the tags of the role as its own trust policy sees them in `aws:ResourceTag`: an inherited value
 * stands in place of the role's tag of that name (TAG-3).
 */
export function roleTagsInChain(roleTags: Tags, inherited: Tags): Tags {
  if (inherited.size === 0) return roleTags;
  const values = new Map([...inherited].map(([key, value]) => [foldAscii(key), value]));
  return new Map([...roleTags].map(([key, value]) => [key, values.get(foldAscii(key)) ?? value]));
}

function folded(keys: Iterable<string>): ReadonlySet<string> {
  return new Set([...keys].map(foldAscii));
}

function refuse(message: string): { ok: false; code: string; message: string } {
  return { ok: false, code: "session-tags", message };
}
