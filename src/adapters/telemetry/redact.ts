/**
 * The one place that knows what must not be written (CWE-532): by the name of a field, and by the
 * look of a text. Every line of the log and of the decision log passes here.
 */

export const redacted = "[redacted]";

/** Names compared without case, `-` and `_`: `x-amz-security-token` is `xamzsecuritytoken`. */
const secretNames: ReadonlySet<string> = new Set([
  "authorization",
  "proxyauthorization",
  "cookie",
  "setcookie",
  "token",
  "accesstoken",
  "idtoken",
  "refreshtoken",
  "sessiontoken",
  "webidentitytoken",
  "securitytoken",
  "xamzsecuritytoken",
  "xamzsignature",
  "signature",
  "assertion",
  "clientassertion",
  "clientsecret",
  "password",
  "passwd",
  "secret",
  "secretaccesskey",
  "privatekey",
  "apikey",
  "xapikey",
  "xauthtoken",
  "xcsrftoken",
  "credential",
  "credentials",
]);

/** True when the value of a field, header, parameter or condition key of this name is a secret. */
export function isSecretName(name: string): boolean {
  if (name.length > 64) return false;
  const plain = name.toLowerCase().replaceAll("-", "").replaceAll("_", "");
  return secretNames.has(plain);
}

const schemes = /\b(bearer|basic|digest|negotiate|dpop|aws4-hmac-sha256)(\s+)([^\s"\\]+)/gi;
const parameters =
  /\b(access_token|id_token|refresh_token|client_secret|client_assertion|assertion|password|passwd|secret|api_key|apikey|token|x-amz-signature|x-amz-security-token|x-amz-credential|signature|sig)=[^&\s"\\#]+/gi;
const privateKeys = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?/g;
const userInfo = /:\/\/[^/?#@\s"\\]+@/g;
const runs = /[A-Za-z0-9_.~+=-]{16,}/g;

/**
 * Returns `text` without whatever looks like a credential: the value behind an authentication scheme
 * or a secret query parameter, JSON web tokens, private keys, user and password in a URL.
 *
 * Also takes a line of JSON: what is put in needs no escape, and no match reaches over a quote.
 * Time is linear in the text: no pattern can start inside a match of itself.
 */
export function redactText(text: string): string {
  return text
    .replace(privateKeys, redacted)
    .replace(schemes, redactScheme)
    .replace(parameters, `$1=${redacted}`)
    .replace(userInfo, `://${redacted}@`)
    .replace(runs, redactToken);
}

/** "the bearer token expired" is prose: short words of small letters stay. */
function redactScheme(match: string, scheme: string, space: string, value: string): string {
  const isProse = value.length < 16 && /^[a-z,.;:]+$/.test(value);
  return isProse ? match : scheme + space + redacted;
}

/** A compact JWS or JWE begins with a base64url `{"` and has at least one dot behind it. */
function redactToken(run: string): string {
  const start = run.indexOf("eyJ");
  if (start < 0 || !run.includes(".", start)) return run;
  return run.slice(0, start) + redacted;
}

/** A policy document inside a scenario inside a record is a dozen levels deep. */
const maxDepth = 24;

/**
 * Returns a copy of `value` in which the fields of a secret name are replaced, at any depth; what
 * lies deeper than `maxDepth` is replaced whole. Texts are left to `redactText` over the finished line.
 */
export function redactFields(value: unknown, depth = 0): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth >= maxDepth) return redacted;
  if (Array.isArray(value)) return value.map((item) => redactFields(item, depth + 1));
  if (value instanceof Error) return value;
  const entries = value instanceof Map ? [...value.entries()] : Object.entries(value);
  return Object.fromEntries(
    entries.map(([name, inner]: [unknown, unknown]) => [
      String(name),
      isSecretName(lastSegment(String(name))) ? redacted : redactFields(inner, depth + 1),
    ]),
  );
}

/** `mesh:JwtClaim/access_token` is named by what follows the last `/` or `:`. */
function lastSegment(name: string): string {
  return name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf(":")) + 1);
}
