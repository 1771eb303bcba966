import { readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";
import { evaluateReference } from "../../src/iam/evaluation/reference.ts";
import { parseScenario } from "../../src/iam/scenario.ts";
import { readCases } from "../corpus/cases.ts";
import { agreed } from "../property/agreement.ts";
import { scenarioOf } from "../property/draft.ts";
import { generateDraft } from "../property/generate.ts";
import { createRandom } from "../property/random.ts";
import { check as original, type Question } from "./check.ts";
import { applied, type Mutant, mutantsOf } from "./mutants.ts";

/** What a worker is asked, and what it answers: who killed the mutant, null where nobody did. */
export interface Asked {
  readonly path: string;
  readonly mutant: Mutant;
}

export interface Answered {
  readonly killer: "corpus" | "random" | "throws" | "ready" | null;
}

/** Random questions of seed 1, the first that the differential test asks. */
const randomQuestions = 400;

let questions: readonly Question[] = [...corpusQuestions(), ...agreedQuestions()];

function corpusQuestions(): Question[] {
  return readCases().flatMap((given) => {
    const { findings: _, problems, ...answer } = given.expected;
    if (problems !== undefined) return [];
    const loaded = parseScenario(JSON.stringify(given));
    if (!loaded.ok) throw new Error(`${given.id}: not accepted`);
    return [{ name: given.id, scenario: loaded.value, expected: { type: "corpus", answer } }];
  });
}

function agreedQuestions(): Question[] {
  return Array.from({ length: randomQuestions }, (_, index) => {
    const scenario = scenarioOf(generateDraft(createRandom(1, index)), `random-${index}`);
    const answer = agreed(evaluateReference(scenario.context, scenario.layers));
    return { name: `random-${index}`, scenario, expected: { type: "agreed", answer } };
  });
}

let current: { readonly url: string; readonly source: string } | null = null;
const stripped = new Map<string, string>();

/** Every module that the check of a mutant imports is loaded anew, the mutated one with its change. */
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    const mark = /[?]mutant=\d+$/.exec(context.parentURL ?? "")?.[0];
    if (mark === undefined || !resolved.url.startsWith("file:")) return resolved;
    if (resolved.url.includes("/node_modules/") || !resolved.url.endsWith(".ts")) return resolved;
    return { ...resolved, url: resolved.url + mark };
  },
  load(url, context, next) {
    const [bare = "", mark] = url.split("?mutant=");
    if (mark === undefined) return next(url, context);
    return { format: "module", source: sourceOf(bare), shortCircuit: true };
  },
});

function sourceOf(url: string): string {
  if (current?.url === url) return current.source;
  const known = stripped.get(url);
  if (known !== undefined) return known;
  const code = stripTypeScriptTypes(readFileSync(fileURLToPath(url), "utf8"));
  stripped.set(url, code);
  return code;
}

let count = 0;

async function judge({ path, mutant }: Asked): Promise<Answered["killer"]> {
  const file = new URL(`../../${path}`, import.meta.url);
  const { code } = mutantsOf(path, readFileSync(fileURLToPath(file), "utf8"));
  current = { url: file.href, source: applied(code, mutant) };
  try {
    const { check }: { check: typeof original } = await import(`./check.ts?mutant=${++count}`);
    const evaluator = path.includes("/reference") ? "reference" : "compiled";
    const wrong = check.firstWrong(questions, evaluator);
    if (wrong === null) return null;
    // what killed one mutant is likely to kill the next
    questions = [wrong, ...questions.filter((each) => each !== wrong)];
    return wrong.expected.type === "corpus" ? "corpus" : "random";
  } catch {
    return "throws";
  }
}

process.on("message", async (asked: Asked) => {
  const answer: Answered = { killer: await judge(asked) };
  process.send?.(answer);
});
// what fails as it stands kills nothing
for (const evaluator of ["reference", "compiled"]) {
  const wrong = original.firstWrong(questions, evaluator);
  if (wrong !== null) throw new Error(`the unchanged engine is wrong: ${wrong.name}`);
}
process.send?.({ killer: "ready" } satisfies Answered);
