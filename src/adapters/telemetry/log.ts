import { type Level, pino } from "pino";
import { MeshIamError } from "../../iam/error.ts";
import type { LineWriter } from "./line-writer.ts";
import { formatLogText } from "./log-text.ts";
import { redactFields, redactText } from "./redact.ts";
import { RepeatLimit } from "./repeat-limit.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** What a line says beyond its message. `err` is an error; the rest is plain data, no secrets. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * The application's log. `event` is a stable kebab-case code, `message` a constant text: what varies
 * stands in `fields`, so that lines can be counted and searched.
 */
export interface Log {
  debug(event: string, message: string, fields?: LogFields): void;
  info(event: string, message: string, fields?: LogFields): void;
  warn(event: string, message: string, fields?: LogFields): void;
  error(event: string, message: string, fields?: LogFields): void;
  /** The same log under another component's name. */
  component(name: string): Log;
  /** The level in force; setting it reaches every component. */
  level: LogLevel;
}

export interface LogOptions {
  readonly writer: LineWriter;
  readonly nowMs: () => number;
  readonly component: string;
  readonly version: string;
  readonly level?: LogLevel;
  readonly format?: "json" | "text";
  readonly podName?: string | null;
  /** Warnings and errors of one component and event in `repeatWindowMs`; default 10 in 10 s. */
  readonly maxRepeats?: number;
  readonly repeatWindowMs?: number;
}

/**
 * Returns a log that writes one JSON object a line: `time` (RFC 3339, UTC, milliseconds), `level` as
 * a word, `component`, `event`, `msg`, `err{type, message, stack, code}`. Repeated warnings and
 * errors are held back; the next one that passes says how many in `suppressed`. Never throws.
 * Source: kubernetes-and-observability 12.3.
 */
export function createLog(options: LogOptions): Log {
  const { writer, nowMs, format = "json" } = options;
  const limit = new RepeatLimit(options.maxRepeats ?? 10, options.repeatWindowMs ?? 10_000);
  const shared: { level: LogLevel } = { level: options.level ?? "info" };
  const logger = pino(
    {
      level: "debug",
      base: {
        "service.version": options.version,
        ...(options.podName ? { "k8s.pod.name": options.podName } : {}),
      },
      timestamp: () => `,"time":"${new Date(nowMs()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
    },
    {
      write(line: string) {
        const safe = redactText(line);
        writer.write(format === "text" ? formatLogText(safe) : safe);
      },
    },
  );

  const rank: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
  const bind = (component: string): Log => {
    const emit = (level: LogLevel & Level, event: string, message: string, fields?: LogFields) => {
      if (rank[level] < rank[shared.level]) return;
      const suppressed = rank[level] < rank.warn ? 0 : limit.take(`${component} ${event}`, nowMs());
      if (suppressed === null) return;
      const extra = suppressed === 0 ? {} : { suppressed };
      const safe = redactFields(fields ?? {}) as LogFields;
      logger[level]({ component, event, ...safe, ...extra }, message);
    };
    return {
      debug: (event, message, fields) => emit("debug", event, message, fields),
      info: (event, message, fields) => emit("info", event, message, fields),
      warn: (event, message, fields) => emit("warn", event, message, fields),
      error: (event, message, fields) => emit("error", event, message, fields),
      component: bind,
      get level() {
        return shared.level;
      },
      set level(level: LogLevel) {
        shared.level = level;
      },
    };
  };
  return bind(options.component);
}

/**
 * Switches `log` to `debug` on SIGUSR2 and back to its former level on the next one. Returns what
 * ends that. (SIGUSR1 belongs to Node's debugger.)
 */
export function switchLevelOnSignal(log: Log, signals: NodeJS.EventEmitter): () => void {
  let former: LogLevel | null = null;
  const onSignal = () => {
    if (former === null) {
      former = log.level;
      log.level = "debug";
    } else {
      log.level = former;
      former = null;
    }
    log.info("log-level-changed", "the log level was changed by a signal", { level: log.level });
  };
  signals.on("SIGUSR2", onSignal);
  return () => void signals.off("SIGUSR2", onSignal);
}

interface DescribedError {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
  readonly cause?: DescribedError;
}

const maxCauses = 4;

function describeError(value: unknown, depth = 0): DescribedError {
  if (!(value instanceof Error)) return { type: typeof value, message: String(value) };
  const code = value instanceof MeshIamError ? value.code : (value as { code?: unknown }).code;
  return {
    type: value.name,
    message: value.message,
    ...(typeof value.stack === "string" ? { stack: value.stack } : {}),
    ...(typeof code === "string" ? { code } : {}),
    ...(value.cause !== undefined && depth < maxCauses
      ? { cause: describeError(value.cause, depth + 1) }
      : {}),
  };
}
