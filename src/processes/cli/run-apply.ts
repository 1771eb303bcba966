import { printable } from "../../domain/directory/document-problem.ts";
import type { ShownStep } from "../../domain/directory/operations/plan/plan.ts";
import { type ApiConnection, type ApiOutcome, callApi } from "./api-client.ts";
import { readDocumentFiles } from "./document-files.ts";
import { readText } from "./files.ts";
import { type CommandIo, type ExitCode, exitCode } from "./io.ts";
import { type Paint, paintOf } from "./paint.ts";
import { printableJson } from "./printable-json.ts";

const path = "/meshiam.admin.v1.DocumentService/ApplyDocuments";

export interface ApplyOptions {
  readonly file: string;
  readonly server?: string;
  readonly socket: string;
  readonly tokenFile?: string;
  readonly organization?: string;
  readonly fieldManager: string;
  readonly prune?: boolean;
  readonly takeOver?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

/** Plans, and applies the plan that was agreed to. Returns `differences` for a plan with steps. */
export async function runApply(
  options: ApplyOptions,
  isDryRun: boolean,
  io: CommandIo,
): Promise<ExitCode> {
  const files = await readDocumentFiles(options.file, io);
  if (files === null) return exitCode.invalidInput;
  const connection = await connectionOf(options, io);
  const request = {
    files,
    fieldManager: options.fieldManager,
    prune: options.prune === true,
    takeOver: options.takeOver === true,
    force: options.force === true,
  };
  const planned = await callApi(connection, path, { ...request, dryRun: true });
  if (!planned.ok) return refused(planned, io);
  const steps = planned.body.steps as readonly ShownStep[];
  const isJson = options.json === true;
  if (isJson && isDryRun) io.out(`${printableJson(planned.body)}\n`);
  if (!isJson) io.out(describePlan(steps, paintOf(io)));
  if (isDryRun) return steps.length === 0 ? exitCode.ok : exitCode.differences;
  if (steps.length > 0 && options.yes !== true && !(await agreed(io))) {
    io.err("nothing was changed\n");
    return exitCode.failure;
  }
  const { planDigest } = planned.body;
  const done =
    steps.length === 0 ? planned : await callApi(connection, path, { ...request, planDigest });
  if (!done.ok) return refused(done, io);
  if (isJson) io.out(`${printableJson(done.body)}\n`);
  else if (steps.length > 0) io.out(`applied, revision ${String(done.body.revision)}\n`);
  return exitCode.ok;
}

async function connectionOf(options: ApplyOptions, io: CommandIo): Promise<ApiConnection> {
  const { server = null, socket, tokenFile, organization = null } = options;
  const token =
    tokenFile === undefined
      ? (io.env.MESH_IAM_TOKEN ?? null)
      : (await readText(tokenFile, io, "config-unreadable")).trim();
  return { server, socket, token: server === null ? null : token, organization };
}

function refused({ code, message }: Extract<ApiOutcome, { ok: false }>, io: CommandIo): ExitCode {
  io.err(`${message.split("\n").map(printable).join("\n")} (${code})\n`);
  switch (code) {
    case "AccessDenied":
      return exitCode.denied;
    case "ValidationError":
    case "MalformedPolicyDocument":
      return exitCode.invalidInput;
    default:
      return exitCode.failure;
  }
}

async function agreed(io: CommandIo): Promise<boolean> {
  io.err("Apply this plan? [y/N] ");
  let text = "";
  for await (const chunk of io.stdin) {
    text += Buffer.from(chunk).toString("utf8");
    if (text.includes("\n") || text.length > 16) break;
  }
  return /^\s*y(es)?\s*$/i.test(text.split("\n", 1)[0] ?? "");
}

const signs = { create: "+", change: "~", "take-over": "~", remove: "-" } as const;

/** Returns a plan for people: one paragraph an object, one line a difference. */
function describePlan(steps: readonly ShownStep[], paint: Paint): string {
  if (steps.length === 0) return "no differences\n";
  const objects = Map.groupBy(steps, ({ object }) => object);
  const counts = { "+": 0, "~": 0, "-": 0 };
  const paints = { "+": paint.good, "~": (text: string) => text, "-": paint.bad };
  const lines: string[] = [];
  for (const [object, own] of objects) {
    const sign = signs[own[0]?.action ?? "change"];
    counts[sign]++;
    lines.push(paints[sign](`${sign} ${printable(object)}`));
    for (const step of own) lines.push(`    ${lineOf(step, paint)}`);
  }
  lines.push(`${counts["+"]} to create, ${counts["~"]} to change, ${counts["-"]} to remove`);
  return `${lines.join("\n")}\n`;
}

const maxValue = 160;

/** The operation, and for a member of the object its value before and after. */
function lineOf({ operation, field, before, after }: ShownStep, paint: Paint): string {
  if (field === "") return operation;
  const values = `${textOf(before)} → ${textOf(after)}`;
  return `${operation} ${printable(field)} ${paint.dim(values)}`;
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return "(none)";
  const text = printable(typeof value === "string" ? value : JSON.stringify(value));
  return text.length > maxValue ? `${text.slice(0, maxValue)}…` : text;
}
