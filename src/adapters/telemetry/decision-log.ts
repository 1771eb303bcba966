import type { CheckAttributes } from "../../domain/request/attributes.ts";
import type { CheckOutcome } from "../../domain/request/outcome.ts";
import {
  type DroppedCredential,
  decisionRecord,
  eventVersion,
  type RecordLabels,
  type RequestFacts,
} from "./decision-record.ts";
import type { LineWriter } from "./line-writer.ts";
import { createMask, type MaskOptions } from "./mask.ts";
import type { SinkName, SinkResult } from "./metric-words.ts";
import { redactFields, redactText } from "./redact.ts";
import { createSampling, type SamplingOptions } from "./sampling.ts";
import { SinkQueue } from "./sink-queue.ts";
import { parseTraceparent } from "./traceparent.ts";

export interface DecisionLogOptions extends SamplingOptions, MaskOptions {
  /** Where records go; none: they are not even made. */
  readonly sinks: readonly { readonly name: SinkName; readonly writer: LineWriter }[];
  readonly labels: RecordLabels;
  readonly maxBufferedEvents: number;
  /** Estimated bytes of the records that wait, for each sink; default 16 MiB. */
  readonly maxBufferedBytes?: number;
  /** True: the thunk of `record` is called and its scenario written. */
  readonly input: boolean;
  /** Told of each batch that a sink did not take. */
  readonly onFailure?: (sink: SinkName, failure: Error) => void;
}

/** What the caller knows beyond outcome and attributes. */
export interface RecordExtra {
  /** `aws:SourceIp` where it is not the peer of the connection. */
  readonly sourceIp?: string | null;
  readonly droppedTokens?: readonly DroppedCredential[];
  /** Makes the scenario that replays the decision; called at once, and only if it is to be written. */
  readonly input?: () => unknown;
}

/** A disagreement of the two evaluators, written as a record of its own. */
export interface SelfCheckRecord {
  readonly decisionId: string;
  readonly timeMs: number;
  readonly epoch: number;
  readonly revision: number;
  /** The answers in the scenario format; no secrets in them by construction of the format. */
  readonly compiled: unknown;
  readonly reference: unknown;
  readonly scenario: unknown;
}

export interface SinkCount {
  readonly sink: SinkName;
  readonly result: SinkResult;
  readonly count: number;
}

/** The record of each decision. Recording never throws, waits or encodes. */
export interface DecisionLog {
  /**
   * Returns whether no record of `outcome` is written whatever its trace, and has then counted it: the
   * usual allow, for which nothing needs to be gathered. Else `record` takes it.
   */
  leavesOut(outcome: CheckOutcome): boolean;
  /**
   * Takes one Check. `attributes` (null where the message could not be read) are borrowed for the
   * call. For each sink written + dropped + failed + sampled-out = Checks recorded, once idle.
   */
  record(
    outcome: CheckOutcome,
    attributes: CheckAttributes | null,
    timeMs: number,
    extra?: RecordExtra,
  ): void;
  /** Takes a disagreement; always written, not part of the sums. */
  recordSelfCheck(record: SelfCheckRecord): void;
  counts(): readonly SinkCount[];
  /** Records that wait, over all sinks. */
  readonly queueLength: number;
  /** Resolves when everything recorded so far is written, dropped or failed. */
  flush(): Promise<void>;
}

const maxHeaderText = 256;
const maxInputBytes = 65_536;
/** What a record takes without its input: texts are bounded, the rest is shared. */
const recordBytes = 2_048;
const noDropped: readonly DroppedCredential[] = Object.freeze([]);

/**
 * Returns a decision log. Records wait in a bounded ring for each sink, are encoded in `setImmediate`
 * batches, and the oldest are dropped and counted when a sink does not keep up (performance 2.15).
 * No token, cookie or secret parameter is ever written: redact.ts.
 */
export function createDecisionLog(options: DecisionLogOptions): DecisionLog {
  const { labels, maxBufferedEvents, maxBufferedBytes = 16_777_216 } = options;
  const sampling = createSampling(options);
  const mask = createMask(options);
  const finish = (record: Record<string, unknown>): string => {
    const safe = redactFields(record) as Record<string, unknown>;
    mask(safe);
    return `${redactText(JSON.stringify(safe))}\n`;
  };
  const queues = options.sinks.map(
    ({ name, writer }) =>
      new SinkQueue<Entry>({
        name,
        writer,
        maxItems: maxBufferedEvents,
        maxBytes: maxBufferedBytes,
        encode: (entry) =>
          finish(
            entry.type === "check"
              ? decisionRecord(entry.outcome, entry.facts, labels)
              : selfCheckRecord(entry.record, labels),
          ),
        isCounted: (entry) => entry.type === "check",
        onFailure: options.onFailure ?? (() => {}),
      }),
  );
  let sampledOut = 0;

  return {
    leavesOut(outcome) {
      if (queues.length === 0) return true;
      if (sampling.mayKeep(outcome)) return false;
      sampledOut++;
      return true;
    },
    record(outcome, attributes, timeMs, extra) {
      if (this.leavesOut(outcome)) return;
      const trace = parseTraceparent(attributes?.header("traceparent")?.value);
      if (!sampling.keeps(outcome, trace?.traceId ?? null)) {
        sampledOut++;
        return;
      }
      const input = options.input ? inputText(extra?.input) : null;
      const facts: RequestFacts = {
        timeMs,
        requestId: headerText(attributes, "x-request-id"),
        traceId: trace?.traceId ?? null,
        spanId: trace?.spanId ?? null,
        sourceIp: extra?.sourceIp ?? attributes?.sourceAddress ?? null,
        userAgent: headerText(attributes, "user-agent"),
        droppedTokens: extra?.droppedTokens ?? noDropped,
        input,
      };
      const bytes = recordBytes + (outcome.resource?.length ?? 0) + (input?.length ?? 0);
      for (const queue of queues) queue.push({ type: "check", outcome, facts }, bytes);
    },
    recordSelfCheck(record) {
      const text = JSON.stringify(record);
      for (const queue of queues) queue.push({ type: "self-check", record }, text.length);
    },
    counts: () =>
      queues.flatMap((queue): SinkCount[] => [
        { sink: queue.name, result: "written", count: queue.written },
        { sink: queue.name, result: "dropped", count: queue.dropped },
        { sink: queue.name, result: "failed", count: queue.failed },
        { sink: queue.name, result: "sampled-out", count: sampledOut },
      ]),
    get queueLength() {
      return queues.reduce((sum, queue) => sum + queue.length, 0);
    },
    flush: async () => {
      await Promise.all(queues.map((queue) => queue.flush()));
    },
  };
}

type Entry =
  | { readonly type: "check"; readonly outcome: CheckOutcome; readonly facts: RequestFacts }
  | { readonly type: "self-check"; readonly record: SelfCheckRecord };

function selfCheckRecord(record: SelfCheckRecord, labels: RecordLabels): Record<string, unknown> {
  return {
    eventVersion,
    eventID: record.decisionId,
    eventTime: new Date(record.timeMs).toISOString(),
    labels,
    bundle: { epoch: record.epoch, revision: record.revision },
    selfCheck: {
      compiled: record.compiled,
      reference: record.reference,
      scenario: record.scenario,
    },
  };
}

/** Returns a header's text, cut: attackers choose it. */
function headerText(attributes: CheckAttributes | null, name: string): string | null {
  const value = attributes?.header(name)?.value;
  return value === undefined ? null : value.slice(0, maxHeaderText);
}

function inputText(make: (() => unknown) | undefined): string | null {
  if (make === undefined) return null;
  try {
    const text = JSON.stringify(make());
    return text.length <= maxInputBytes ? text : '{"omitted":"too-large"}';
  } catch {
    // The decision is made and answered; a scenario that cannot be written must not undo that.
    return '{"omitted":"failed"}';
  }
}
