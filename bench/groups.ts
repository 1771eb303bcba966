import { checkGroup } from "./rows/check.ts";
import { microGroup } from "./rows/micro.ts";
import type { Group } from "./rows/row.ts";

/** What runs without being asked for by name. */
export const ownGroups: readonly Group[] = [checkGroup, microGroup];

/** What `--peers` adds: other products, fetched at run time. */
export const peerGroups: readonly Group[] = [];
