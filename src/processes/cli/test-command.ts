import { type Command, Option } from "commander";
import type { CommandIo, CommandResult } from "./io.ts";
import { partitionOption } from "./partition-option.ts";
import type { TestOutput } from "./policy-tests/command.ts";

const outputs: readonly TestOutput[] = ["tree", "list", "json", "junit"];

interface TestOptions {
  readonly output: TestOutput;
  readonly testFilter?: string;
  readonly partition: string;
  readonly coverage?: boolean;
  readonly verbose?: boolean;
}

/** Adds `test`: runs the policy tests of `*_test.yaml` files with the production engine. */
export function addTest(program: Command, io: CommandIo, result: CommandResult): void {
  program
    .command("test")
    .argument("[paths...]", "test files, or folders to look for *_test.yaml in", ["."])
    .addOption(new Option("--output <format>", "how to report").choices(outputs).default("tree"))
    .option("--test-filter <text>", "only tests whose suite and name hold the text, in any case")
    .addOption(partitionOption())
    .option("--coverage", "show the statements that no test reached")
    .option("--verbose", "explain every failure layer by layer")
    .summary("run policy tests")
    .description(
      "Runs policy tests: files named *_test.yaml say who asks for what, and what the answer should be,\n" +
        "of a folder of documents or of policies in the file. A test with lists of principals, actions or\n" +
        "resources asks about each choice of them. Exit code 0 if none fails (skipped ones\n" +
        "do not), 1 if one fails or there is none, 3 if a file or its documents are not accepted.",
    )
    .addHelpText("after", `\nExamples:\n${examples}\nA test file:\n${example}\n`)
    .action(async (paths: readonly string[], options: TestOptions) => {
      const { testPolicies } = await import("./policy-tests/command.ts");
      result.exitCode = await testPolicies(
        {
          paths,
          output: options.output,
          filter: options.testFilter ?? null,
          partition: options.partition,
          coverage: options.coverage === true,
          verbose: options.verbose === true,
        },
        io,
      );
    });
}

const examples =
  "  mesh-iam test examples/quickstart\n" +
  "  mesh-iam test policies --coverage\n" +
  "  mesh-iam test policies --output junit > report.xml\n";

const example = `  documents: policies            # or policies: as in a scenario
  options: { now: "2026-11-24T00:00:00Z" }
  principals:
    ana: { type: user, arn: "arn:aws:iam::111122223333:user/ana" }
    bob: { type: user, arn: "arn:aws:iam::111122223333:user/bob" }
  resources:
    order: { arn: "arn:aws:orders::111122223333:order/42" }
  tests:
    - name: everybody reads orders
      principal: [ana, bob]
      action: orders:GetOrder
      resource: order
      expected: allowed
    - name: bob may not refund
      principal: bob
      action: orders:RefundOrder
      resource: order
      context: { aws:SourceIp: 10.0.0.7 }
      expected: { decision: implicitDeny, deniedBy: permissionsBoundary }`;
