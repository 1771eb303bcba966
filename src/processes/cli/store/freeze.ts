import type { Command } from "commander";
import type { OrgState } from "../../../adapters/store/store.ts";
import type { CommandIo } from "../io.ts";
import {
  headFacts,
  jsonOption,
  orgOf,
  orgOption,
  report,
  type StoreOptions,
  storeOption,
  withStore,
} from "./open.ts";

/** Adds `store freeze` and `store unfreeze`. */
export function addFreeze(store: Command, io: CommandIo): void {
  addState(store, io, "freeze", "frozen", "stop every commit of an organization; reads go on");
  addState(store, io, "unfreeze", "active", "let commits of an organization in again");
}

function addState(
  store: Command,
  io: CommandIo,
  name: string,
  state: OrgState,
  summary: string,
): void {
  store
    .command(name)
    .addOption(storeOption())
    .addOption(orgOption())
    .addOption(jsonOption())
    .summary(summary)
    .description(`${summary}. Works beside a running control plane.`)
    .action(async (options: StoreOptions) => {
      await withStore(options, io, "visitor", async (engine) => {
        const org = await orgOf(engine.store, options);
        await engine.store.setState(org, state);
        const head = await engine.store.head(org);
        report(options, io, headFacts(head), [`${org} is ${state} at revision ${head.revision}`]);
      });
    });
}
