import { errorCodeOf } from "../../src/domain/request/error-code.ts";
import {
  errorCatalogue,
  type Outcome,
  outcomeOf,
  type Reason,
  reasons,
} from "../../src/iam/reason.ts";
import { statusOf } from "../../src/processes/authorizer/answer.ts";
import { code, page, table } from "./markdown.ts";
import { reasonMeanings } from "./reason-meanings.ts";

const outcomes: readonly { readonly outcome: Outcome; readonly about: string }[] = [
  { outcome: "allow", about: "Envoy was told to let the request pass." },
  {
    outcome: "deny",
    about: "Envoy was told to refuse the request, and the cause is the caller's.",
  },
  {
    outcome: "error",
    about:
      "Envoy was told to refuse the request, and the cause is ours: what the service-level objective counts.",
  },
];

/** The status and the error name that a caller is given. */
function told(reason: Reason): string[] {
  const status = statusOf(reason);
  return [String(status), code(errorCodeOf(reason, status))];
}

/** Returns the page about reasons, error codes and exit codes. */
export function errorsPage(): string {
  return page(
    "Reasons and error codes",
    "src/iam/reason.ts",
    "One spelling everywhere: metric label, decision log, dynamic metadata, log line and output of the command line.",
    "## Reasons of a Check",
    ...outcomes.flatMap(({ outcome, about }) => [
      `### ${outcome}`,
      about,
      table(
        outcome === "allow" ? ["Reason", "Meaning"] : ["Reason", "Meaning", "HTTP", "AWS's name"],
        reasons
          .filter((reason) => outcomeOf(reason) === outcome)
          .map((reason) => [
            code(reason),
            reasonMeanings[reason],
            ...(outcome === "allow" ? [] : told(reason)),
          ]),
      ),
    ]),
    "## Error codes of a program",
    "No Check is ever answered with one of these: they are why a process or command failed.",
    table(
      ["Code", "Meaning"],
      Object.entries(errorCatalogue).map(([name, meaning]) => [code(name), meaning]),
    ),
    "## Exit codes",
    table(
      ["Exit code", "Meaning"],
      [
        ["0", "fine, or allowed"],
        ["1", "failure: usage, input and output, a crash"],
        ["2", "denied"],
        ["3", "invalid input: configuration, document, policy, scenario, bundle"],
        ["4", "unknown: the analyzer ran out of its budget"],
        ["5", "there are differences"],
      ],
    ),
  );
}
