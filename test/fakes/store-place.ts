import type { StoreEngine } from "../../src/adapters/store/store.ts";

/** A database of its own for one test, whatever the engine. */
export interface StorePlace {
  /** The engine that a server opens. */
  open(): Promise<StoreEngine>;
  /** Another instance beside it. */
  openBeside(): Promise<StoreEngine>;
  /** Runs SQL past the store, to damage it. */
  damage(sql: string): Promise<void>;
  /** Closes what is open and removes everything. */
  dispose(): Promise<void>;
}
