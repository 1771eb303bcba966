import { rmSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeDocuments } from "../e2e/authorizer.ts";
import { startAuthorizerProcess } from "../e2e/authorizer-process.ts";
import { world } from "../e2e/doors.ts";
import { createRunDir } from "../e2e/envoy.ts";
import { issueTokens } from "../e2e/shop.ts";

/** The sidecar as a process in which something fails that nobody handles; SIGHUP is the moment. */

let runDir: string;
beforeEach(() => {
  runDir = createRunDir();
  writeDocuments(runDir, world(issueTokens(Date.now()).jwks));
});
afterEach(() => rmSync(runDir, { recursive: true, force: true }));

const onHangup = (statement: string) =>
  `data:text/javascript,process.on("SIGHUP", () => { ${statement} })`;

test.each([
  {
    why: "H2-014: a rejection drains",
    statement: 'Promise.reject(new Error("lost")); setTimeout(() => Promise.reject("again"), 100)',
    events: ["unhandled-rejection", "authorizer-draining", "unhandled-rejection"],
  },
  {
    why: "an exception ends it at once",
    statement: 'throw new Error("lost")',
    events: ["uncaught-exception"],
  },
])("$why, is logged, and the exit code says failure", async ({ statement, events }) => {
  const process = await startAuthorizerProcess({ runDir, name: "a", preload: onHangup(statement) });
  expect(await process.end("SIGHUP")).toBe(1);
  const lines = process.log().trim().split("\n");
  const after = lines.slice(lines.findIndex((line) => line.includes('"authorizer-started"')) + 1);
  expect(after.map((line) => JSON.parse(line).event)).toEqual(events);
});
