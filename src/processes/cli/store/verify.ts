import type { Command } from "commander";
import type { StoreEngine } from "../../../adapters/store/store.ts";
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
        "the log that made it as far as the log reaches, its references against its\n" +
        "doc, and the chains of the audit streams. The first thing that does not fit is\n" +
        "an error and exit code 1.",
    )
    .action(async (options: StoreOptions) => {
      const [{ verifyOrg, verifyReferences }, { docReferences }] = await Promise.all([
        import("../../../adapters/store/verify.ts"),
        import("./doc-references.ts"),
      ]);
      const check = async (org: string, engine: StoreEngine) => {
        const tell = progress(io, options, 10_000, (count) => `checked revision ${count}`);
        const verified = await verifyOrg(engine, org, tell);
        return { ...verified, unreadable: await verifyReferences(engine, org, docReferences()) };
      };
      await withStore(
        options,
        io,
        "visitor",
        async (engine) => {
          const all = await engine.store.heads();
          const orgs = options.org === undefined ? all.map(({ org }) => org) : [options.org];
          const verified: Awaited<ReturnType<typeof check>>[] = [];
          for (const org of orgs.toSorted()) verified.push(await check(org, engine));
          const facts = verified.map(({ head, ...counts }) => ({ ...headFacts(head), ...counts }));
          report(options, io, { verified: true, organizations: facts }, [
            ...facts.map(
              ({ org, revision, epoch, revisions, objects, auditEvents, unreadable }) =>
                `${org}: revision ${revision}, epoch ${epoch}; ${revisions} revisions of the log, ${objects} objects, ${unreadable} of them unreadable, ${auditEvents} audit events`,
            ),
            "verified",
          ]);
        },
        true,
      );
    });
}
