import { readNow } from "../../../iam/scenario-question.ts";
import { fieldsOf, type Place } from "../../../iam/scenario-reader.ts";

/** The fields of `options`, of a file or of one test. */
export const optionFields = ["now"] as const;

/** Returns the time at `options.now` in milliseconds since 1970; null where none is given. */
export function readSuiteOptions(place: Place | null): number | null {
  const fields = place && fieldsOf(place, optionFields);
  return readNow(fields?.get("now") ?? null);
}
