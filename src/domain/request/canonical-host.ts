/** A host in the one spelling in which hosts are compared; `port` is null where none was given. */
export interface CanonicalHost {
  readonly host: string;
  readonly port: number | null;
}

/** A name of 253 bytes, a trailing dot, a colon, a port, and one byte to spare. */
const maxHostBytes = 261;
const maxNameBytes = 253;
const maxLabelBytes = 63;

/**
 * Returns `text` (`request.http.host`, never a forwarded header) with its name in lower case, its port
 * split off and one trailing dot removed, or null where two parsers could read it differently: two
 * hosts, user information, blanks, non-ASCII, an empty label, an unusual port.
 *
 * Names stay A-labels; there is no IDN conversion. Linear in at most 261 characters, allocates two
 * objects. Source: envoy-ext-authz 4.3.
 */
export function canonicalHost(text: string): CanonicalHost | null {
  const end = hostEnd(text);
  if (end < 0) return null;
  const port = end === text.length ? null : parsePort(text, end + 1);
  if (port === -1) return null;
  const dot = text.charCodeAt(end - 1) === 0x2e ? 1 : 0;
  return { host: text.slice(0, end - dot).toLowerCase(), port };
}

/** Returns whether `canonicalHost` accepts `text`; allocates nothing. */
export function isHost(text: string): boolean {
  const end = hostEnd(text);
  return end >= 0 && (end === text.length || parsePort(text, end + 1) >= 0);
}

/** Returns the index behind the name, which is the text's end or a colon's; -1: not a host. */
function hostEnd(text: string): number {
  if (text === "" || text.length > maxHostBytes) return -1;
  return text.charCodeAt(0) === 0x5b ? literalEnd(text) : nameEnd(text);
}

function literalEnd(text: string): number {
  let colons = 0;
  for (let i = 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x5d) {
      const end = i + 1;
      return colons >= 2 && (end === text.length || text.charCodeAt(end) === 0x3a) ? end : -1;
    }
    if (c === 0x3a) colons++;
    else if (!isDigit(c) && c !== 0x2e && !isHexLetter(c)) return -1;
  }
  return -1;
}

function nameEnd(text: string): number {
  let label = 0;
  let i = 0;
  for (; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x3a) break;
    if (c === 0x2e) {
      if (!isLabel(text, label, i)) return -1;
      label = i + 1;
    } else if (!isLabelCharacter(c)) {
      return -1;
    }
  }
  // An empty last label is the one trailing dot that may stand behind a name.
  const trailingDot = label === i && i > 0;
  if (!trailingDot && !isLabel(text, label, i)) return -1;
  return i - (trailingDot ? 1 : 0) > maxNameBytes ? -1 : i;
}

function isLabel(text: string, from: number, end: number): boolean {
  const length = end - from;
  if (length < 1 || length > maxLabelBytes) return false;
  return text.charCodeAt(from) !== 0x2d && text.charCodeAt(end - 1) !== 0x2d;
}

function isLabelCharacter(c: number): boolean {
  if (isDigit(c) || c === 0x2d || c === 0x5f) return true;
  const folded = c | 0x20;
  return c < 0x80 && folded >= 0x61 && folded <= 0x7a;
}

function isHexLetter(c: number): boolean {
  const folded = c | 0x20;
  return c < 0x80 && folded >= 0x61 && folded <= 0x66;
}

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

/** Returns the port that stands from `from` to the end, or -1: no sign, no leading zero, at most 65535. */
function parsePort(text: string, from: number): number {
  const length = text.length - from;
  if (length < 1 || length > 5 || text.charCodeAt(from) === 0x30) return -1;
  let port = 0;
  for (let i = from; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (!isDigit(c)) return -1;
    port = port * 10 + (c - 0x30);
  }
  return port <= 65_535 ? port : -1;
}
