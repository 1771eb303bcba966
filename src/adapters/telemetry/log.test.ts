import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { MeshIamError } from "../../iam/error.ts";
import type { LineWriter } from "./line-writer.ts";
import { createLog, type LogOptions, switchLevelOnSignal } from "./log.ts";

const canary = "c4n4ry-5ecret-VALUE";

function collector(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const clock = { nowMs: Date.parse("2026-11-24T12:30:01.250Z") };
  const writer: LineWriter = {
    write: (text) => void lines.push(text),
    flush: async () => {},
    flushSync: () => {},
    droppedWrites: 0,
  };
  const log = createLog({
    writer,
    nowMs: () => clock.nowMs,
    component: "authorizer",
    version: "0.1.0",
    ...options,
  });
  const entries = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log, lines, entries, clock };
}

test("a line is one JSON object with time, level, component, event and message", () => {
  const { log, lines, entries } = collector({ podName: "orders-1" });
  log.info("bundle-activated", "a new bundle is in force", { revision: 42 });
  expect(lines[0]?.endsWith("\n")).toBe(true);
  expect(entries()).toEqual([
    {
      level: "info",
      time: "2026-11-24T12:30:01.250Z",
      "service.version": "0.1.0",
      "k8s.pod.name": "orders-1",
      component: "authorizer",
      event: "bundle-activated",
      revision: 42,
      msg: "a new bundle is in force",
    },
  ]);
});

test("an error is written with type, message, stack, code and its cause", () => {
  const { log, entries } = collector();
  const cause = new Error("ENOENT: no such file");
  const err = new MeshIamError("bundle-unreadable", "cannot read `head`", { cause });
  log.error("bundle-refused", "a bundle was refused", { err });
  expect(entries()[0]?.err).toMatchObject({
    type: "MeshIamError",
    message: "cannot read `head`",
    code: "bundle-unreadable",
    stack: expect.stringContaining("log.test.ts"),
    cause: { type: "Error", message: "ENOENT: no such file" },
  });
});

test("an error that is its own cause ends", () => {
  const { log, entries } = collector();
  const err = new Error("round");
  err.cause = err;
  log.error("e", "m", { err });
  expect(JSON.stringify(entries()).length).toBeLessThan(20_000);
});

test("levels below the one in force are not written, in any component", () => {
  const { log, entries } = collector({ level: "warn" });
  const other = log.component("keys");
  log.info("a", "m");
  other.debug("b", "m");
  other.warn("c", "m");
  log.level = "debug";
  other.debug("d", "m");
  expect(entries().map(({ event, component }) => [event, component])).toEqual([
    ["c", "keys"],
    ["d", "keys"],
  ]);
});

test("repeated errors are held back, and the next line says how many", () => {
  const { log, entries, clock } = collector({ maxRepeats: 2, repeatWindowMs: 1_000 });
  for (let at = 0; at < 10; at++) log.error("jwks-failed", "a key set cannot be fetched");
  log.error("other", "another event is not held back");
  log.info("info", "informational lines are not held back");
  clock.nowMs += 1_000;
  log.error("jwks-failed", "a key set cannot be fetched");
  log.error("jwks-failed", "a key set cannot be fetched");
  expect(entries().map(({ event, suppressed }) => [event, suppressed])).toEqual([
    ["jwks-failed", undefined],
    ["jwks-failed", undefined],
    ["other", undefined],
    ["info", undefined],
    ["jwks-failed", 8],
    ["jwks-failed", undefined],
  ]);
});

test("a clock that is set back does not silence the log", () => {
  const { log, lines, clock } = collector({ maxRepeats: 1, repeatWindowMs: 1_000 });
  log.warn("e", "m");
  clock.nowMs -= 3_600_000;
  log.warn("e", "m");
  expect(lines).toHaveLength(2);
});

test("SIGUSR2 switches to debug and back", () => {
  const { log } = collector({ level: "warn" });
  const signals = new EventEmitter();
  const end = switchLevelOnSignal(log, signals);
  signals.emit("SIGUSR2");
  expect(log.level).toBe("debug");
  signals.emit("SIGUSR2");
  expect(log.level).toBe("warn");
  end();
  signals.emit("SIGUSR2");
  expect(log.level).toBe("warn");
});

test("BND-025 no secret reaches a line, by name or by look, in either format", () => {
  for (const format of ["json", "text"] as const) {
    const { log, lines } = collector({ format });
    log.warn("e", "m", {
      headers: { authorization: canary, cookie: canary },
      target: `/v1?access_token=${canary}`,
      err: new Error(`refused Bearer ${canary}`),
      token: canary,
    });
    expect(lines.join("")).not.toContain(canary);
    expect(lines.join("")).toContain("[redacted]");
  }
});

test("text is for people: time, level, component, event, message, fields, then the stack", () => {
  const { log, lines } = collector({ format: "text" });
  log.warn("bundle-stale", "the bundle is old", { ageSeconds: 901, why: "a b" });
  expect(lines).toEqual([
    '12:30:01.250 WARN  authorizer bundle-stale  the bundle is old  ageSeconds=901 why="a b"\n',
  ]);
  log.error("e", "m", { err: new Error("broken") });
  expect(lines[1]).toMatch(/^12:30:01\.250 ERROR authorizer e {2}m\n {4}Error: broken\n {4}at /);
});

test("control characters are shown, not sent to the terminal", () => {
  const { log, lines } = collector({ format: "text" });
  log.warn("e", "m", { path: "\u001b[2J\nfake line", err: new Error("\u001b]0;x\u0007") });
  const controls = [...lines.join("")].filter((char) => char < " " && char !== "\n");
  expect(controls).toEqual([]);
  expect(lines.join("").split("\n")[0]).toContain("\\u001b[2J\\nfake line");
});
