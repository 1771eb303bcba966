import { randomUUID } from "node:crypto";
import { Option } from "commander";
import { parseStoreAddress, type StoreAddress } from "../../../adapters/store/open-store.ts";
import type { Commit, Store, StoreEngine, StoreHead } from "../../../adapters/store/store.ts";
import { MeshIamError } from "../../../iam/error.ts";
import { quote } from "../../../iam/problem.ts";
import type { CommandIo } from "../io.ts";
import { printableJson } from "../printable-json.ts";

export interface StoreOptions {
  readonly store?: string;
  readonly org?: string;
  readonly json?: boolean;
}

export const storeOption = () =>
  new Option("--store <address>", "PATH, sqlite:PATH or postgres://…; default: MESH_IAM_STORE");
export const orgOption = () =>
  new Option("--org <id>", "the organization; default: the only one of the store");
export const jsonOption = () => new Option("--json", "print the result as JSON");

/** Returns where the store is; throws `usage` when nothing says so. */
export function addressOf(options: StoreOptions, io: CommandIo): StoreAddress {
  const text = options.store ?? io.env.MESH_IAM_STORE ?? "";
  if (text !== "") return parseStoreAddress(text);
  throw new MeshIamError("usage", "expected --store PATH or postgres://…, or MESH_IAM_STORE");
}

/** What a store is given by this process. */
export async function surroundings() {
  const { systemClock } = await import("../../../adapters/distribution/system-clock.ts");
  return { clock: systemClock, random: Math.random, instance: randomUUID() };
}

/** Opens the store, tells its warnings, and closes it after `use`. */
export async function withStore(
  options: StoreOptions,
  io: CommandIo,
  role: "writer" | "visitor",
  use: (engine: StoreEngine) => Promise<void>,
  checked?: boolean,
): Promise<void> {
  const address = addressOf(options, io);
  const { openStore } = await import("../../../adapters/store/open-store.ts");
  const engine = await openStore(address, await surroundings(), role, checked);
  try {
    for (const warning of engine.warnings) io.err(`warning: ${warning}\n`);
    await use(engine);
  } finally {
    await engine.close();
  }
}

/** Returns the organization asked for, or the only one there is. */
export async function orgOf(store: Store, { org }: StoreOptions): Promise<string> {
  if (org !== undefined) return org;
  const heads = await store.heads();
  const [only] = heads;
  if (only !== undefined && heads.length === 1) return only.org;
  const names = heads.map((head) => quote(head.org)).join(", ");
  throw new MeshIamError(
    "usage",
    only === undefined ? "the store has no organization" : `expected --org, one of ${names}`,
  );
}

/** Prints a result: as JSON, or the lines for people. */
export function report(
  { json }: StoreOptions,
  io: CommandIo,
  facts: Readonly<Record<string, unknown>>,
  lines: readonly string[],
): void {
  io.out(json === true ? `${printableJson(facts)}\n` : `${lines.join("\n")}\n`);
}

/** Returns what people and scripts are told of a head. */
export function headFacts({ org, epoch, revision, atMs, state }: StoreHead) {
  return { org, epoch, revision, at: new Date(atMs).toISOString(), state };
}

/** Returns a teller of long work: a line in every `step`, on a terminal only. */
export function progress(
  io: CommandIo,
  { json }: StoreOptions,
  step: number,
  words: (count: number) => string,
): (count: number) => void {
  if (!io.terminal || json === true) return () => {};
  let told = 0;
  return (count) => {
    if (count - told < step) return;
    told = count;
    io.err(`${words(count)}\n`);
  };
}

/** What stands in the history for what an operator did on the machine itself. */
export function operatorCommit(
  eventName: string,
  facts: Readonly<Record<string, unknown>>,
): Pick<Commit, "id" | "actor" | "audit"> {
  return {
    id: randomUUID(),
    // Not the name: in a container many a user has none.
    actor: `arn:aws:mesh-iam:::operator/uid-${process.getuid?.() ?? "unknown"}`,
    audit: Buffer.from(JSON.stringify({ eventName, ...facts })),
  };
}
