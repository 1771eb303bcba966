import { Option } from "commander";

/** Returns the option `--partition` of commands that read documents or policies. */
export function partitionOption(): Option {
  return new Option("--partition <name>", "partition of the ARNs").default("aws");
}
