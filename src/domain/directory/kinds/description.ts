import { text } from "../shape/scalars.ts";
import { optional } from "../shape/shape.ts";

/** CloudFormation's `Description`: read, for people, and not kept. */
export const description = optional(
  text("a text of at most 1000 characters on one line", /^[^\p{Cc}]*$/u, 1000),
  "",
  "For people who read the documents.",
);
