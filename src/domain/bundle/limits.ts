/**
 * What a bundle may weigh (control-plane 2.9). Everything a carrier delivers is cut at these bounds
 * before it is inflated, parsed or kept. All lengths are of uncompressed bytes unless the name says
 * otherwise.
 */
export interface BundleLimits {
  /** Sum of manifest and parts. Default 64 MiB. */
  readonly maxSliceBytes: number;
  /** One part. Default 8 MiB. */
  readonly maxPartBytes: number;
  /** One stored object inside a part: above it a poison marker takes its place. Default 256 KiB. */
  readonly maxObjectBytes: number;
  /** Default 1 MiB. */
  readonly maxManifestBytes: number;
  /** A head with its signatures; an honest one has about 400 bytes. Default 8 KiB. */
  readonly maxHeadBytes: number;
  /** A key set with its signatures. Default 64 KiB. */
  readonly maxKeySetBytes: number;
  /** Key sets read in one attempt, so that a carrier cannot keep us busy. Default 1,000. */
  readonly maxKeySets: number;
  /** Signatures on one envelope. Default 16. */
  readonly maxSignatures: number;
}

const kib = 1024;

/** The defaults of control-plane 2.9. */
export const defaultBundleLimits: BundleLimits = Object.freeze({
  maxSliceBytes: 64 * kib * kib,
  maxPartBytes: 8 * kib * kib,
  maxObjectBytes: 256 * kib,
  maxManifestBytes: kib * kib,
  maxHeadBytes: 8 * kib,
  maxKeySetBytes: 64 * kib,
  maxKeySets: 1_000,
  maxSignatures: 16,
});
