import type { PolicyText } from "../model.ts";
import type { PolicySource } from "../shape/policy.ts";
import type { World } from "./world.ts";

/** Returns the stored form of a policy that was read: its text, and the file and line it stood at. */
export function policyText(id: string, { text, place }: PolicySource): PolicyText {
  return { id, text, source: `${place.file}:${place.position.line}` };
}

/** Reports a policy of more than `max` characters, as `count` counts them. */
export function checkSize(
  world: World,
  source: PolicySource,
  max: number,
  count: (text: string) => number,
): void {
  const characters = count(source.text);
  if (characters <= max) return;
  const message = `expected at most ${max} characters, got ${characters}`;
  world.refuse(source.place, "QUOTA_EXCEEDED", message);
}
