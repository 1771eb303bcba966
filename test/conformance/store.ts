import { afterEach, beforeEach, describe } from "vitest";
import type { StoreEngine } from "../../src/adapters/store/store.ts";
import { org } from "../fakes/store-commits.ts";
import type { StorePlace } from "../fakes/store-place.ts";
import { commitConformance } from "./store-commits.ts";
import { copyConformance } from "./store-copies.ts";
import { historyConformance } from "./store-history.ts";
import { lockConformance } from "./store-locks.ts";
import { readConformance } from "./store-reads.ts";

/** What every engine of the store promises (control-plane 3.2 to 3.10, 3.13). */
export function storeConformance(makePlace: () => Promise<StorePlace>): void {
  let place: StorePlace;
  let engine: StoreEngine;
  const opened = () => ({ place, engine });

  beforeEach(async () => {
    place = await makePlace();
    engine = await place.open();
    await engine.store.createOrg(org);
  });
  afterEach(() => place.dispose());

  describe("commits", () => commitConformance(opened));
  describe("locks", () => lockConformance(opened));
  describe("history", () => historyConformance(opened));
  describe("reads", () => readConformance(opened));
  describe("copies", () => copyConformance(opened));
}
