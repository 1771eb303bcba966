/** How many rows each table of the specification has (iam-semantics 12.1 to 12.9). */
export const tables: Readonly<Record<string, number>> = {
  "T-DOC": 57,
  "T-ACT": 15,
  "T-RES": 24,
  "T-VAR": 27,
  "T-PRI": 34,
  "T-DEC": 35,
  "T-ORG": 22,
  "T-CON": 65,
  "T-STS": 30,
};

const sts = "an operation of STS, not a decision of the language";
const chaining = "src/domain/sts/role-chaining.test.ts";
const quota = "a quota of the control plane";

/** Rows without a case here, and where they are held instead or why they wait. Only shrinks. */
export const rowsElsewhere: ReadonlyMap<string, string> = new Map([
  ["T-DOC-32", "src/iam/evaluation/reference.test.ts: forced past the loader"],
  ["T-DOC-36", "corpus.test.ts: a law over every case"],
  ["T-DOC-37", quota],
  ["T-DOC-38", quota],
  ["T-DOC-55", "a bundle's business"],
  ["T-DOC-57", "the control plane stores documents"],
  ["T-PRI-31", "test/property/differential.test.ts: unique ids are given beside the documents"],
  ["T-DEC-31", "test/property/grant.test.ts"],
  ["T-DEC-32", "the authorizer holds one snapshot a request"],
  ["T-DEC-35", "the authorizer adds the implied Allow of `authType: NONE`"],
  ["T-CON-64", "the authorizer's decision cache"],
  ["T-STS-10", chaining],
  ["T-STS-11", chaining],
  ["T-STS-12", chaining],
  ["T-STS-13", chaining],
  ["T-STS-14", chaining],
  ["T-STS-15", chaining],
  ["T-STS-16", chaining],
  ["T-STS-17", chaining],
  ["T-STS-19", sts],
  ["T-STS-22", sts],
  ["T-STS-26", sts],
  ["T-STS-27", sts],
  ["T-STS-28", sts],
  ["T-STS-29", sts],
  ["T-STS-30", sts],
]);
