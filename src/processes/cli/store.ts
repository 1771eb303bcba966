import type { Command } from "commander";
import type { CommandIo } from "./io.ts";
import { addBackup } from "./store/backup.ts";
import { addExport } from "./store/export.ts";
import { addFreeze } from "./store/freeze.ts";
import { addImport } from "./store/import.ts";
import { addMigrate } from "./store/migrate.ts";
import { addNewEpoch } from "./store/new-epoch.ts";
import { addRestore } from "./store/restore.ts";
import { addVerify } from "./store/verify.ts";

/** Adds `store export|import|migrate|backup|restore|verify|freeze|unfreeze|new-epoch`. */
export function addStore(program: Command, io: CommandIo): void {
  const store = program
    .command("store")
    .summary("copy, check and repair what a control plane keeps")
    .description(
      "A store is an SQLite file or a PostgreSQL database. Every command takes it as\n" +
        "--store or from MESH_IAM_STORE, which other users of the machine do not see:\n" +
        "PATH, sqlite:PATH, or postgres://USER@HOST:PORT/DATABASE, whose password may\n" +
        "stand in PGPASSWORD. Reading commands work beside a running control plane.",
    )
    .addHelpText(
      "after",
      "\nFrom SQLite to PostgreSQL:\n" +
        "  mesh-iam store freeze  --store data/store.db --org o-acme123456\n" +
        "  mesh-iam store export  --store data/store.db --org o-acme123456 --out acme.export\n" +
        "  mesh-iam store migrate --store postgres://mesh@db.example.com/iam\n" +
        "  mesh-iam store import  --store postgres://mesh@db.example.com/iam acme.export\n" +
        "  mesh-iam store unfreeze --store postgres://mesh@db.example.com/iam --org o-acme123456\n" +
        "\nA nightly backup, and the way back:\n" +
        "  mesh-iam store backup  --store data/store.db --out store.backup\n" +
        "  mesh-iam store restore --store data/restored.db store.backup\n" +
        "  mesh-iam store verify  --store data/restored.db\n",
    );
  addExport(store, io);
  addImport(store, io);
  addMigrate(store, io);
  addBackup(store, io);
  addRestore(store, io);
  addVerify(store, io);
  addFreeze(store, io);
  addNewEpoch(store, io);
}
