import { foldAscii } from "../../iam/ascii.ts";
import type { CheckAttributes, HeaderSpan } from "../request/attributes.ts";
import { type Denied, deny } from "../request/denied.ts";
import { decodeQueryText } from "../request/percent-decoding.ts";

/**
 * Returns the token of the `authorization` header, null if the request has no such header, or why the
 * header is refused (envoy-ext-authz 5.2 and 9; RFC 6750, 2.1):
 *
 * - `credentials-ambiguous`: the header twice, as two entries or joined by a comma; `Bearer Bearer`; a
 *   query parameter `access_token` beside it, which alone is not read;
 * - `token-kind`: another scheme than `Bearer`, SigV4 and `Basic` among them;
 * - `token-malformed`: no scheme, no token, anything but one space between them, a JSON serialization.
 *
 * The scheme's case does not count. The token is not looked into. Linear in header and query.
 */
export function readBearer(attributes: CheckAttributes): string | Denied | null {
  const field = attributes.header("authorization");
  if (field === undefined) return null;
  if (field.count !== 1) return deny("credentials-ambiguous", "authorization-repeated");
  const token = tokenOf(field.value);
  if (typeof token !== "string") return token;
  if (hasQueryToken(attributes.target)) return deny("credentials-ambiguous", "access_token");
  return token;
}

/**
 * Returns the bytes of the header that `readBearer` would read, null where it has to be asked itself. It
 * reads nothing but this one value then, so equal bytes are read alike: whoever remembers a token by
 * them need not read it again.
 */
export function bearerSpan(attributes: CheckAttributes): HeaderSpan | null {
  const span = attributes.headerSpan("authorization");
  return span === null || hasQueryToken(attributes.target) ? null : span;
}

function tokenOf(value: string): string | Denied {
  // The usual spelling without folding; the rest of the function says what the others mean.
  const isUsual = value.startsWith("Bearer ");
  const end = isUsual ? 6 : value.search(/[ \t]/);
  const scheme = isUsual ? "bearer" : foldAscii(end < 0 ? value : value.slice(0, end));
  // Its parameters are separated by commas, so a comma says nothing here.
  if (scheme.startsWith("aws4-")) return deny("token-kind", "sigv4");
  if (scheme === "") return deny("token-malformed", "no-scheme");
  const token = value.slice(scheme.length + 1);
  // The JSON serializations hold commas; they are one credential of a form not accepted.
  if (scheme === "bearer" && token.startsWith("{")) return deny("token-malformed", "json");
  if (value.includes(",")) return deny("credentials-ambiguous", "authorization-joined");
  if (scheme !== "bearer") return deny("token-kind", "scheme");
  if (value[end] !== " " || token === "" || token.startsWith(" ") || token.startsWith("\t")) {
    return deny("token-malformed", "separator");
  }
  return foldAscii(token.slice(0, 7)) === "bearer "
    ? deny("credentials-ambiguous", "bearer-bearer")
    : token;
}

const plainQueryToken = /[?&]access_token(?:[=&]|$)/i;

/** True if the target's query has a parameter `access_token`, in any case and spelling. */
function hasQueryToken(target: string): boolean {
  const query = target.indexOf("?");
  if (query < 0) return false;
  if (!target.includes("%", query)) return plainQueryToken.test(target.slice(query));
  for (let from = query + 1; from <= target.length; ) {
    const next = target.indexOf("&", from);
    const end = next < 0 ? target.length : next;
    const piece = target.slice(from, end);
    const equals = piece.indexOf("=");
    const decoded = decodeQueryText(equals < 0 ? piece : piece.slice(0, equals), "name");
    // A name that cannot be decoded is refused with its path, before any credential is judged.
    if (typeof decoded === "string" && foldAscii(decoded) === "access_token") return true;
    from = end + 1;
  }
  return false;
}
