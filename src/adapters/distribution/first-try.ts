import type { Clock } from "./clock.ts";

// Long enough for an honest carrier nearby, short enough for a start during its outage.
const withBundleMs = 1_000;
const withoutBundleMs = 10_000;

/**
 * Resolves when the first attempt `trying` has ended, or when a start has waited for it long enough:
 * with a bundle of the cache in force the carrier is not needed (BUN-12), without one there is
 * nothing to decide with. The attempt goes on.
 */
export async function firstTry(
  trying: Promise<unknown>,
  hasBundle: boolean,
  clock: Clock,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.after(hasBundle ? withBundleMs : withoutBundleMs, resolve);
  await Promise.race([trying, promise]);
  timer.cancel();
}
