import { type Denied, deny, isDenied } from "../request/denied.ts";
import { decodeUtf8, type JsonObject, parseJsonObject } from "./json-object.ts";

/** A signed token taken apart, nothing about it believed yet (RFC 7515, 7.1). */
export interface CompactToken {
  readonly header: TokenHeader;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** What was signed: header, dot and payload as they came. */
  readonly signedText: string;
}

/** The members of a protected header that decide something; the others are ignored. */
export interface TokenHeader {
  readonly algorithm: string;
  readonly keyId: string | null;
  /** As written. */
  readonly typ: string | null;
  /** Keys the sender offers for its own token: counted, never read. */
  readonly embeddedKeys: readonly EmbeddedKey[];
}

export type EmbeddedKey = "jwk" | "jku" | "x5u" | "x5c";

/** Longest accepted token in characters; longer than any header Envoy passes by default. */
export const defaultMaxTokenChars = 16_384;

const embeddedKeyNames: readonly EmbeddedKey[] = ["jwk", "jku", "x5u", "x5c"];
const part = /^[A-Za-z0-9_-]+$/;
const noKeys: readonly EmbeddedKey[] = Object.freeze([]);

/**
 * Returns the parts of `text`, which must be the one canonical spelling of a signed token.
 *
 * Denied as `token-too-large` before anything is looked at; `token-kind` for five parts (encrypted)
 * and for a token within the token (`cty: JWT`); `token-malformed` for everything else: another number
 * of parts, a character outside base64url, a spelling that decoding and encoding changes, a header
 * that is no JSON object in UTF-8, has a name twice, lacks `alg`, or holds `crit`, `b64` or a member
 * of the wrong type. Linear in the text.
 */
export function openCompact(text: string, maxChars: number): CompactToken | Denied {
  if (text.length > maxChars) return deny("token-too-large");
  const [head = "", body = "", tail = "", ...more] = text.split(".", 6);
  if (more.length === 2) return deny("token-kind", "encrypted");
  if (more.length > 0) return deny("token-malformed", "parts");
  const headerBytes = decodePart(head);
  const payload = decodePart(body);
  const signature = decodePart(tail);
  if (headerBytes === null || payload === null || signature === null) {
    return deny("token-malformed", "base64url");
  }
  const object = readObject(headerBytes);
  if (isDenied(object)) return object;
  const header = readHeader(object);
  if (isDenied(header)) return header;
  return { header, payload, signature, signedText: text.slice(0, head.length + 1 + body.length) };
}

/** Returns the JSON object that `bytes` are in UTF-8, or `token-malformed`. */
export function readObject(bytes: Uint8Array): JsonObject | Denied {
  const text = decodeUtf8(bytes);
  if (text === null) return deny("token-malformed", "utf-8");
  const parsed = parseJsonObject(text);
  return parsed.ok ? parsed.value : deny("token-malformed", parsed.code);
}

/** Returns the bytes that `text` spells in base64url, or null unless it is their only spelling. */
function decodePart(text: string): Uint8Array | null {
  if (!part.test(text)) return null;
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : null;
}

function readHeader({ members }: JsonObject): TokenHeader | Denied {
  if (members.has("crit") || members.has("b64")) return deny("token-malformed", "extension");
  const algorithm = textMember(members, "alg");
  const keyId = textMember(members, "kid");
  const typ = textMember(members, "typ");
  const cty = textMember(members, "cty");
  if (typeof algorithm !== "string") return deny("token-malformed", "alg");
  if (keyId === undefined || typ === undefined || cty === undefined) {
    return deny("token-malformed", "header-type");
  }
  if (cty !== null && /(^|[/+])jw[te]$/i.test(cty)) return deny("token-kind", "nested");
  const embedded = embeddedKeyNames.filter((name) => members.has(name));
  return { algorithm, keyId, typ, embeddedKeys: embedded.length === 0 ? noKeys : embedded };
}

/** Returns a text member, null if absent, undefined if it is of another type or no well-formed text. */
function textMember(members: JsonObject["members"], name: string): string | null | undefined {
  const value = members.get(name);
  if (value === undefined) return null;
  return value.type === "string" && value.value.isWellFormed() ? value.value : undefined;
}
