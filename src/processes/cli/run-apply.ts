import { printable } from "../../domain/directory/document-problem.ts";
import type { PlanStep } from "../../domain/directory/plan/step.ts";
import { type ApiConnection, type ApiOutcome, callApi } from "./api-client.ts";
import type { ApplyOptions } from "./apply.ts";
import { readDocumentFiles } from "./document-files.ts";
import { readText } from "./files.ts";
import { type CommandIo, type ExitCode, exitCode } from "./io.ts";
import { type Paint, paintOf } from "./paint.ts";

const path = "/meshiam.admin.v1.DocumentService/ApplyDocuments";

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
  };
  const planned = await callApi(connection, path, { ...request, dryRun: true });
  if (!planned.ok) return refused(planned, io);
  const steps = planned.body.steps as readonly PlanStep[];
  const isJson = options.json === true;
  if (isJson && isDryRun) io.out(`${JSON.stringify(planned.body, null, 2)}\n`);
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
  if (isJson) io.out(`${JSON.stringify(done.body, null, 2)}\n`);
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

const signs = { create: "+", update: "~", remove: "-" } as const;

/** Returns a plan for people: one paragraph an object, one line an operation. */
function describePlan(steps: readonly PlanStep[], paint: Paint): string {
  if (steps.length === 0) return "no differences\n";
  const objects = new Map<string, PlanStep[]>();
  for (const step of steps) {
    objects.set(step.object, [...(objects.get(step.object) ?? []), step]);
  }
  const counts = { create: 0, update: 0, remove: 0 };
  const lines: string[] = [];
  for (const [object, own] of objects) {
    const change = own[0]?.change ?? "update";
    counts[change]++;
    const paints = { create: paint.good, update: (text: string) => text, remove: paint.bad };
    lines.push(paints[change](`${signs[change]} ${printable(object)}`));
    for (const { operation, input } of own) lines.push(`    ${lineOf(operation, input, paint)}`);
  }
  const { create, update, remove } = counts;
  lines.push(`${create} to create, ${update} to change, ${remove} to remove`);
  return `${lines.join("\n")}\n`;
}

const maxValue = 160;

function lineOf(operation: string, input: PlanStep["input"], paint: Paint): string {
  const values = Object.entries(input)
    .filter(([name]) => name !== "account")
    .map(([name, value]) => {
      const text = printable(typeof value === "string" ? value : JSON.stringify(value));
      return `${name}=${text.length > maxValue ? `${text.slice(0, maxValue)}…` : text}`;
    });
  return `${operation} ${paint.dim(values.join(" "))}`;
}
