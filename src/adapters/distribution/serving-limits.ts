/** What one process that serves bundles bears (control-plane 2.6 and 2.9). */
export interface ServingLimits {
  /** How often each head is renewed. Default 30 s. */
  readonly renewMs: number;
  /** For how long a renewed head is good. Default 1 h. */
  readonly validForMs: number;
  /** How long an object stays served after its slice stopped naming it (BUN-37). Default 10 min. */
  readonly keepObjectsMs: number;
  /** Largest event of a stream; objects that do not fit are fetched (BUN-7). Default 256 KiB. */
  readonly maxEventBytes: number;
  /** Streams at once. Default 10,000. */
  readonly maxStreams: number;
  /** Streams taken in a second; the others are told to come again. Default 200. */
  readonly maxAdmissionsPerSecond: number;
  /** Streams of one instance: above it the oldest ends (BUN-35). Default 2. */
  readonly maxStreamsPerInstance: number;
  /** Instances of one identity (BUN-35). Default 500. */
  readonly maxInstances: number;
  /** Slices that are built at once because somebody asked for them. Default 32. */
  readonly maxBuilds: number;
  /** A stream that drains nothing for this long is closed (BUN-34). Default 60 s. */
  readonly drainMs: number;
  /** Each stream ends at a random age between these two (BUN-13). Default 30 and 60 min. */
  readonly minAgeMs: number;
  readonly maxAgeMs: number;
  /** Those who are sent away together come again spread over this, those turned away within it. Default 30 s. */
  readonly spreadMs: number;
}

const minuteMs = 60_000;

export const defaultServingLimits: ServingLimits = Object.freeze({
  renewMs: 30_000,
  validForMs: 60 * minuteMs,
  keepObjectsMs: 10 * minuteMs,
  maxEventBytes: 256 * 1024,
  maxStreams: 10_000,
  maxAdmissionsPerSecond: 200,
  maxStreamsPerInstance: 2,
  maxInstances: 500,
  maxBuilds: 32,
  drainMs: minuteMs,
  minAgeMs: 30 * minuteMs,
  maxAgeMs: 60 * minuteMs,
  spreadMs: 30_000,
});
