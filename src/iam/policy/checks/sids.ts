import { quote } from "../../problem.ts";
import type { JsonString, JsonValue } from "../json.ts";
import { note, type Subject } from "./check.ts";

/** DOC-11: what a Sid may be, and whether it is unique. None of it changes a decision. */
export function checkSids(subject: Subject): void {
  const ofMeshService = subject.type === "resource";
  const seen = new Set<string>();
  for (const sid of sidsOf(subject)) {
    if (sid.value === "") {
      const message = "an empty Sid names nothing; leave it out or fill it";
      note(subject, "SUGGESTION", "EMPTY_SID_VALUE", sid.position, message);
      continue;
    }
    if (!ofMeshService && !/^[A-Za-z0-9]*$/.test(sid.value)) {
      const message = `expected letters and digits only, got ${quote(sid.value)}`;
      note(subject, "ERROR", "UNSUPPORTED_SID", sid.position, message);
    }
    if (seen.has(sid.value)) {
      const message = `expected each Sid once, got ${quote(sid.value)} again`;
      if (ofMeshService) {
        note(subject, "WARNING", "UNIQUE_SIDS_RECOMMENDED", sid.position, message);
      } else {
        note(subject, "ERROR", "UNIQUE_SIDS_REQUIRED", sid.position, message);
      }
    }
    seen.add(sid.value);
  }
}

function sidsOf({ json }: Subject): readonly JsonString[] {
  const statement = json.entries.find((entry) => entry.key === "Statement")?.value;
  if (statement === undefined) return [];
  const statements: readonly JsonValue[] =
    statement.type === "array" ? statement.items : [statement];
  return statements.flatMap((each) => {
    const sid = each.type === "object" && each.entries.find((entry) => entry.key === "Sid")?.value;
    return sid && sid.type === "string" ? [sid] : [];
  });
}
