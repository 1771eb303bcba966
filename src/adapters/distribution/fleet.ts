/** What somebody who connects has proven to be. */
export interface Peer {
  /** SPIFFE id; a service account as `spiffe://<trust domain>/ns/<ns>/sa/<sa>`. */
  readonly identity: string;
  /** Pod uid that the credential is bound to; null: what the peer says of itself counts. */
  readonly instance: string | null;
}

/** Where a sidecar stands, in its own words. */
export interface ReportedPosition {
  readonly epoch: number;
  readonly revision: number;
  readonly coveredRevision: number;
  /** Lower-case hex. */
  readonly manifestDigest: string;
  /** The store's hash chain, lower-case hex; empty without one. Two histories show here (BND-013). */
  readonly chain: string;
}

/** A status as it came in: bounded, and otherwise as untrusted as its sender (BUN-36). */
export interface InstanceReport {
  readonly identity: string;
  readonly instance: string;
  readonly org: string;
  readonly slice: string;
  /** Null: nothing is active yet. */
  readonly active: ReportedPosition | null;
  readonly nacks: readonly {
    readonly revision: number;
    readonly partId: string;
    readonly code: string;
    readonly detail: string;
  }[];
  readonly poisoned: readonly {
    readonly objectId: string;
    readonly kind: string;
    readonly reason: string;
  }[];
  readonly activity: readonly {
    readonly principalId: string;
    readonly serviceArn: string;
    readonly action: string;
    readonly hourAtMs: number;
  }[];
  readonly selfCheckMismatches: number;
}

/** Who keeps the books about all sidecars. Calls must return soon; what they throw is lost. */
export interface Fleet {
  reported(report: InstanceReport): void;
}
