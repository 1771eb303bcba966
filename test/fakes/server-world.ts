import type { BundleServerParts } from "../../src/adapters/distribution/bundle-server.ts";
import type { WatchSession } from "../../src/adapters/distribution/watch-session.ts";
import { nowMs } from "./bundle-keys.ts";
import { ManualClock } from "./manual-clock.ts";
import { org, ServedOrganization } from "./served-organization.ts";

interface Asked {
  readonly identity?: string;
  readonly instance?: string;
  readonly org?: string;
  readonly heldManifest?: string;
}

/** Returns a server with a clock of the test, and how to open streams on it. */
export function serverWorld(parts: Partial<BundleServerParts> = {}) {
  const clock = new ManualClock(nowMs);
  const served = new ServedOrganization(clock, parts);
  let stalled = 0;
  const ask = (asked: Asked = {}) =>
    served.server.watch({
      peer: { identity: asked.identity ?? "orders", instance: null },
      org: asked.org ?? org,
      instance: asked.instance ?? "pod-1",
      heldManifest: asked.heldManifest ?? "",
      stalled: () => {
        stalled++;
      },
    });
  const open = (asked: Asked = {}): WatchSession => {
    const opened = ask(asked);
    if (!opened.ok) throw new Error(opened.detail);
    return opened.session;
  };
  return { clock, served, ask, open, stalled: () => stalled };
}
