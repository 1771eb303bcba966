import type { DocumentType } from "../policy-type.ts";
import { note, type Subject } from "./check.ts";

interface Quota {
  readonly maxCharacters: number;
  /** Whether white space between elements counts. */
  readonly countsBlanks: boolean;
  readonly code: string;
}

const identity = "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA";

/** iam-semantics 2.5. What is over quota is the control plane's to refuse (LOAD-2). */
const quotas: Readonly<Record<DocumentType, Quota>> = {
  identity: { maxCharacters: 6144, countsBlanks: false, code: identity },
  permissionsBoundary: { maxCharacters: 6144, countsBlanks: false, code: identity },
  session: { maxCharacters: 2048, countsBlanks: true, code: identity },
  resource: {
    maxCharacters: 20_480,
    countsBlanks: true,
    code: "POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA",
  },
  trust: {
    maxCharacters: 2048,
    countsBlanks: false,
    code: "POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA",
  },
  serviceControl: {
    maxCharacters: 10_240,
    countsBlanks: true,
    code: "SCP_SYNTAX_ERROR_POLICY_SIZE",
  },
  resourceControl: {
    maxCharacters: 5120,
    countsBlanks: true,
    code: "RCP_SYNTAX_ERROR_POLICY_SIZE",
  },
};

/** The size against the quota of the document's type. */
export function checkSize(subject: Subject): void {
  const { text, type, json, options } = subject;
  const { countsBlanks, code, maxCharacters } = quotas[type];
  const max = options.maxCharacters ?? maxCharacters;
  const counted = countsBlanks ? text.length : text.replaceAll(/[ \t\r\n]/g, "").length;
  if (counted <= max) return;
  const isControl = type === "serviceControl" || type === "resourceControl";
  const what = countsBlanks ? "characters" : "characters without white space";
  const message = `expected at most ${max} ${what}, got ${counted}`;
  note(subject, isControl ? "ERROR" : "WARNING", code, json.position, message);
}
