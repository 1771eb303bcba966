import type { Command } from "commander";
import type { Verified } from "../../../adapters/store/verify.ts";
import type { CommandIo } from "../io.ts";
import {
  headFacts,
  jsonOption,
  progress,
  report,
  type StoreOptions,
  storeOption,
  withStore,
} from "./open.ts";

/** Adds `store verify`. */
export function addVerify(store: Command, io: CommandIo): void {
  store
    .command("verify")
    .addOption(storeOption())
    .option("--org <id>", "one organization; default: all of them")
    .addOption(jsonOption())
    .summary("check that nothing is missing, changed or damaged")
    .description(
      "Checks an SQLite file for damage, then of each organization: revisions without\n" +
        "gap, the hash chain over them and their audit records, every object against\n" +
        "the log that made it as far as the log reaches, and the chains of the audit\n" +
        "streams. The first thing that does not fit is an error and exit code 1.",
    )
    .action(async (options: StoreOptions) => {
      const { verifyOrg } = await import("../../../adapters/store/verify.ts");
      const check = async (org: string, engine: Parameters<typeof verifyOrg>[0]) => {
        const tell = progress(io, options, 10_000, (count) => `checked revision ${count}`);
        return await verifyOrg(engine, org, tell);
      };
      await withStore(
        options,
        io,
        "visitor",
        async (engine) => {
          const all = await engine.store.heads();
          const orgs = options.org === undefined ? all.map(({ org }) => org) : [options.org];
          const verified: Verified[] = [];
          for (const org of orgs.toSorted()) verified.push(await check(org, engine));
          const facts = verified.map(({ head, ...counts }) => ({ ...headFacts(head), ...counts }));
          report(options, io, { verified: true, organizations: facts }, [
            ...facts.map(
              ({ org, revision, epoch, revisions, objects, auditEvents }) =>
                `${org}: revision ${revision}, epoch ${epoch}; ${revisions} revisions of the log, ${objects} objects, ${auditEvents} audit events`,
            ),
            "verified",
          ]);
        },
        true,
      );
    });
}
