import { formatArn, parseArn } from "../../../src/iam/arn.ts";
import { arnFields, piecesOf } from "../../../src/iam/evaluation/reference-text.ts";
import { splitArnPattern } from "../../../src/iam/policy/arn-pattern.ts";
import { parseAwsPrincipal } from "../../../src/iam/policy/principal-text.ts";
import { parseTemplate } from "../../../src/iam/policy/variables.ts";
import { must, type Target, unitsOf } from "../target.ts";

/** FUZ-02: split, written again, split as a pattern as the reference splits it, read as a principal. */
export const arn: Target = {
  name: "arn",
  id: "FUZ-02",
  about: "an ARN, ARN pattern or principal",
  words: ["arn:aws:", ":::::", "${aws:username}", "${a, 'b:c'}", "${*}", "*", "role/", ":root"],
  fuzz(data) {
    const text = unitsOf(data);
    const parsed = parseArn(text);
    if (parsed.ok) must(formatArn(parsed.value) === text, "an ARN is written as it was read");
    must(parsed.ok === /^arn(?::[^:]*){4}:/s.test(text), "six fields, the first `arn`, are an ARN");
    const plain = splitArnPattern(text, false);
    must(plain.join(":") === text, "fields joined again are the text");
    must(plain.length <= 6, "at most six fields");
    if (parseTemplate(text).ok) {
      const fields = splitArnPattern(text, true).length;
      must(fields === arnFields(piecesOf(text, "2012-10-17")).length, "variables separate nothing");
    }
    parseAwsPrincipal(text);
  },
};
