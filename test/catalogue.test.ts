import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { metricTable } from "../src/adapters/telemetry/metric-table.ts";
import { errorCatalogue, reasons } from "../src/iam/reason.ts";

/** A word of a catalogue that nothing says is a promise to whoever reads the reference page. */
const tables = ["src/iam/reason.ts", "src/adapters/telemetry/metric-table.ts"];
const source = globSync("src/**/*.ts")
  .filter((path) => !path.endsWith(".test.ts") && !path.startsWith("src/gen/"))
  .filter((path) => !tables.includes(path))
  .map((path) => readFileSync(path, "utf8"))
  .join("\n");

const isSaid = (word: string) => source.includes(`"${word}"`);
// gRPC's own: a status is counted by its number, an RPC by its key.
const { rpcHandled, rpcDuration, ...ours } = metricTable;
const labelWords = Object.values(ours).flatMap(({ labels }) =>
  Object.values(labels).flatMap((words) => (typeof words === "string" ? [] : words)),
);

test.each([
  { what: "reason", words: reasons },
  { what: "error code", words: Object.keys(errorCatalogue) },
  { what: "value of a label", words: [...new Set<string>(labelWords)] },
])("every $what is said somewhere", ({ words }) => {
  expect(words.length).toBeGreaterThan(20);
  expect(words.filter((word) => !isSaid(word))).toEqual([]);
});

test("every metric is fed somewhere", () => {
  const keys = Object.keys(metricTable);
  expect(keys.length).toBeGreaterThan(20);
  const isFed = (key: string) => isSaid(key) || source.includes(`metricTable.${key};`);
  expect(keys.filter((key) => !isFed(key))).toEqual([]);
});

test("a word that nobody says is found", () => {
  expect(isSaid("no-such-word")).toBe(false);
});
