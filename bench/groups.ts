import { checkGroup } from "./rows/check.ts";
import { envoyGroup } from "./rows/envoy.ts";
import { memoryGroup } from "./rows/memory.ts";
import { microGroup } from "./rows/micro.ts";
import { peersGroup } from "./rows/peers.ts";
import type { Group } from "./rows/row.ts";
import { swapGroup } from "./rows/swap.ts";

/** What there is to measure, in the order of the table. */
export const groups: readonly Group[] = [
  checkGroup,
  peersGroup,
  envoyGroup,
  microGroup,
  memoryGroup,
  swapGroup,
];
