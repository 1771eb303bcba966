import { checkGroup } from "./rows/check.ts";
import { envoyGroup } from "./rows/envoy.ts";
import { memoryGroup } from "./rows/memory.ts";
import { microGroup } from "./rows/micro.ts";
import type { Group } from "./rows/row.ts";
import { swapGroup } from "./rows/swap.ts";

/** What runs without being asked for by name. */
export const ownGroups: readonly Group[] = [
  checkGroup,
  envoyGroup,
  microGroup,
  memoryGroup,
  swapGroup,
];

/** What `--peers` adds: other products, fetched at run time. */
export const peerGroups: readonly Group[] = [];
