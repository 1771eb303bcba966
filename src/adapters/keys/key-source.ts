import { parseJson } from "../../iam/policy/json.ts";
import { type Parsed, quote } from "../../iam/problem.ts";
import type { FetchText } from "./fetch-text.ts";
import type { KeySetForm } from "./key-set.ts";
import { textMember } from "./public-key.ts";

/** Whose keys are wanted and where they are to be had. Two equal specs name one source. */
export interface KeySourceSpec {
  /** Unique id of the provider or trust domain. */
  readonly issuerId: string;
  /** Its name in the documents: the label in metrics and logs. */
  readonly alias: string;
  readonly form: KeySetForm;
  /** The exact `iss` of a provider; what discovery starts from and must repeat. */
  readonly issuer: string;
  readonly source:
    | { readonly type: "discovery" }
    | { readonly type: "uri"; readonly uri: string }
    | { readonly type: "keys"; readonly json: string };
  /** The refresh interval that the documents ask for; null: as the bundle or the cache says. */
  readonly refreshHintSeconds: number | null;
}

/**
 * Returns the text of the issuer's key set, or why it cannot be had: the codes of `fetchText`, and
 * `discovery` for a metadata document that is no JSON object, names another issuer than the configured
 * one, byte by byte, or lacks `jwks_uri` (OpenID Connect Discovery 1.0, 4.3).
 */
export async function readKeySetText(
  spec: KeySourceSpec,
  fetchText: FetchText,
  maxBytes: number,
): Promise<Parsed<string>> {
  switch (spec.source.type) {
    case "keys":
      return { ok: true, value: spec.source.json };
    case "uri":
      return fetchText(spec.source.uri);
    case "discovery": {
      const text = await fetchText(discoveryUrl(spec.issuer));
      if (!text.ok) return text;
      const uri = readKeySetUri(text.value, spec.issuer, maxBytes);
      return uri.ok ? fetchText(uri.value) : uri;
    }
  }
}

/** An issuer may end in a slash; the well-known path begins with the only one. */
function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
}

function readKeySetUri(text: string, issuer: string, maxBytes: number): Parsed<string> {
  const json = parseJson(text, { maxBytes, maxDepth: 16, characters: "any" });
  if (!json.ok || json.value.type !== "object") return refuse("expected a JSON object");
  const named = textMember(json.value, "issuer");
  if (named !== issuer) return refuse(`expected the issuer ${quote(issuer)} in the metadata`);
  const uri = textMember(json.value, "jwks_uri");
  return typeof uri === "string" ? { ok: true, value: uri } : refuse("expected a text `jwks_uri`");
}

function refuse(message: string): Parsed<string> {
  return { ok: false, code: "discovery", message };
}
