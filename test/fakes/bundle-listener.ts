import type {
  ActiveBundle,
  BundleListener,
  HeadFacts,
  RefusedBundle,
} from "../../src/adapters/distribution/source.ts";

/** Remembers what it is told; throws at an activation while `failing` is set. */
export class RecordingListener implements BundleListener {
  readonly bundles: ActiveBundle[] = [];
  readonly heads: HeadFacts[] = [];
  readonly refusals: RefusedBundle[] = [];
  /** Every call, by name. */
  readonly calls: string[] = [];
  failing: Error | null = null;

  activated(bundle: ActiveBundle): void {
    this.calls.push("activated");
    if (this.failing !== null) throw this.failing;
    this.bundles.push(bundle);
  }

  refreshed(head: HeadFacts): void {
    this.calls.push("refreshed");
    this.heads.push(head);
  }

  refused(refusal: RefusedBundle): void {
    this.calls.push("refused");
    this.refusals.push(refusal);
  }

  /** Names of the users in force: the tests' way to tell one content from another. */
  get users(): readonly string[] {
    return this.bundles.at(-1)?.directory.users.map(({ name }) => name) ?? [];
  }

  get lastRefusal(): RefusedBundle | undefined {
    return this.refusals.at(-1);
  }
}
