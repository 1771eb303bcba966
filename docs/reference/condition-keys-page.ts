import { type KeyDefinition, keyCatalogue, unreadableHeaders } from "../../src/iam/context-keys.ts";
import { code, page, table } from "./markdown.ts";

const trust: Readonly<Record<KeyDefinition["trust"], string>> = {
  proven: "proven",
  client: "the caller",
  none: "",
};
const arity: Readonly<Record<KeyDefinition["arity"], string>> = {
  single: "one",
  multi: "many",
  configured: "as declared",
};

/** Returns the page about the condition keys that every service has. */
export function conditionKeysPage(): string {
  const filled = keyCatalogue.filter((key) => key.filled);
  const unfilled = keyCatalogue.filter((key) => !key.filled);
  return page(
    "Condition keys",
    "src/iam/context-keys.ts",
    "`aws:` keys mean what AWS documents; `mesh:` keys are mesh-iam's. Names ignore ASCII case. A name that ends in `/` stands for every key that begins with it. Services and identity providers bring keys of their own besides.",
    "*Value from* says who controls it: `proven` by credential, connection, bundle or operator, or the caller, who can send anything. Use a caller's value to narrow what is allowed, never as proof of who asks. *Clock*: the value changes while request and credential stay the same.",
    table(
      ["Key", "Type", "Values", "Value from", "Clock"],
      filled.map((key) => [
        code(key.name),
        key.type,
        arity[key.arity],
        trust[key.trust],
        key.time ? "yes" : "",
      ]),
    ),
    `No policy reads the headers ${[...unreadableHeaders].map(code).join(", ")}: they carry secrets.`,
    "## Known, never present",
    "These keys of AWS are accepted in policies and are absent from every request.",
    table(
      ["Key", "Type"],
      unfilled.map((key) => [code(key.name), key.type]),
    ),
  );
}
