import type { MatchScope } from "../pattern.ts";
import { type PolicyValue, rememberLast, type ValueMatcher } from "./value-matcher.ts";

/**
 * An address block: the family, the address as four 32-bit words (IPv4 uses the first), and the
 * length of the prefix that counts. An address alone has the full prefix.
 */
export interface IpBlock {
  readonly family: 4 | 6;
  readonly words: readonly [number, number, number, number];
  readonly prefixLength: number;
}

/**
 * Returns the address of `text`, or null where it is none by VAL-4: an IPv4 dotted quad without
 * leading zeros or IPv6 text without zone id. IPv4-mapped addresses are folded to IPv4.
 */
export function parseIpAddress(text: string): IpBlock | null {
  if (text.length > 45) return null;
  if (text.indexOf(":") < 0) {
    const word = parseQuad(text, 0);
    return word === null ? null : { family: 4, words: [word, 0, 0, 0], prefixLength: 32 };
  }
  const words = parseIpv6(text);
  return words === null ? null : fold({ family: 6, words, prefixLength: 128 });
}

/**
 * Returns the block of `text`: an address, or an address, a slash and a prefix length without leading
 * zeros (VAL-4). Blocks of IPv4-mapped addresses with a prefix of 96 or more are folded to IPv4.
 */
export function parseIpBlock(text: string): IpBlock | null {
  const slash = text.indexOf("/");
  if (slash < 0) return parseIpAddress(text);
  const isIpv6 = text.indexOf(":") >= 0;
  const prefixLength = parsePrefixLength(text, slash + 1, isIpv6 ? 128 : 32);
  if (prefixLength === null || slash > 45) return null;
  const address = text.slice(0, slash);
  if (!isIpv6) {
    const word = parseQuad(address, 0);
    return word === null ? null : { family: 4, words: [word, 0, 0, 0], prefixLength };
  }
  const words = parseIpv6(address);
  return words === null ? null : fold({ family: 6, words, prefixLength });
}

/** Returns whether `address` lies in `block`; the families never match each other. */
export function containsAddress(block: IpBlock, address: IpBlock): boolean {
  if (block.family !== address.family) return false;
  for (let i = 0, left = block.prefixLength; left > 0; i++, left -= 32) {
    // a shift by 32 would be a shift by 0: whole words are compared whole
    const mask = left >= 32 ? -1 : -1 << (32 - left);
    if ((((block.words[i] ?? 0) ^ (address.words[i] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}

/** Returns whether the address part of `block` has bits set behind its prefix. */
export function hasHostBits(block: IpBlock): boolean {
  const bits = block.family === 4 ? 32 : 128;
  for (let bit = block.prefixLength; bit < bits; bit++) {
    const word = block.words[bit >> 5] ?? 0;
    if (((word >>> (31 - (bit & 31))) & 1) !== 0) return true;
  }
  return false;
}

function fold(block: IpBlock): IpBlock {
  const [a, b, c, d] = block.words;
  if (a !== 0 || b !== 0 || c !== 0xffff || block.prefixLength < 96) return block;
  return { family: 4, words: [d, 0, 0, 0], prefixLength: block.prefixLength - 96 };
}

// Four numbers up to 255 without leading zeros, from `from` to the end.
function parseQuad(text: string, from: number): number | null {
  let word = 0;
  let at = from;
  for (let part = 0; part < 4; part++) {
    if (part > 0 && text.charCodeAt(at++) !== 0x2e) return null;
    const start = at;
    let value = 0;
    for (let code = text.charCodeAt(at); isDigit(code) && at - start < 3; ) {
      value = value * 10 + code - 0x30;
      code = text.charCodeAt(++at);
    }
    if (at === start || value > 255) return null;
    if (at - start > 1 && text.charCodeAt(start) === 0x30) return null;
    word = (word << 8) | value;
  }
  return at === text.length ? word : null;
}

// RFC 4291, 2.2: eight groups, one `::` for one or more of them, the last two maybe a dotted quad.
function parseIpv6(text: string): [number, number, number, number] | null {
  const groups: number[] = [];
  let gap = -1;
  let at = 0;
  if (text.startsWith("::")) {
    gap = 0;
    at = 2;
  }
  while (at < text.length) {
    if (groups.length === 8) return null;
    const end = hexEnd(text, at);
    if (text.charCodeAt(end) === 0x2e) {
      const quad = parseQuad(text, at);
      if (quad === null) return null;
      groups.push(quad >>> 16, quad & 0xffff);
      at = text.length;
      break;
    }
    if (end === at || end - at > 4) return null;
    groups.push(hexValue(text, at, end));
    at = end;
    if (at === text.length) break;
    if (text.charCodeAt(at) !== 0x3a) return null;
    at++;
    if (text.charCodeAt(at) === 0x3a) {
      if (gap >= 0) return null;
      gap = groups.length;
      at++;
    } else if (at === text.length) {
      return null;
    }
  }
  if (gap < 0 ? groups.length !== 8 : groups.length > 7) return null;
  if (gap >= 0) groups.splice(gap, 0, ...new Array<number>(8 - groups.length).fill(0));
  return [pair(groups, 0), pair(groups, 2), pair(groups, 4), pair(groups, 6)];
}

function pair(groups: readonly number[], at: number): number {
  return ((groups[at] ?? 0) << 16) | (groups[at + 1] ?? 0);
}

function parsePrefixLength(text: string, from: number, max: number): number | null {
  const length = text.length - from;
  if (length < 1 || length > 3) return null;
  if (length > 1 && text.charCodeAt(from) === 0x30) return null;
  let value = 0;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (!isDigit(code)) return null;
    value = value * 10 + code - 0x30;
  }
  return value <= max ? value : null;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function hexDigit(code: number): number {
  if (isDigit(code)) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function hexEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && hexDigit(text.charCodeAt(at)) >= 0) at++;
  return at;
}

function hexValue(text: string, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) value = value * 16 + hexDigit(text.charCodeAt(i));
  return value;
}

const parseLast = rememberLast(parseIpAddress);

/** Returns the matcher of `IpAddress`. */
export function createIpAddress(values: readonly PolicyValue[]): ValueMatcher {
  const blocks = values.map((value) => parseIpBlock(value.text)).filter((block) => block !== null);
  return {
    matches(text: string, scope: MatchScope): boolean {
      const found = parseLast(text);
      scope.work.steps += blocks.length;
      if (found === null) return false;
      for (const block of blocks) if (containsAddress(block, found)) return true;
      return false;
    },
  };
}
