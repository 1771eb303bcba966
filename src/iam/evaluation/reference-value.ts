/**
 * The value grammars of iam-semantics 5.3 as the reference evaluator reads them. Each function
 * returns a value that compares exactly (a bigint, plain texts), or null for a text outside the
 * grammar, which equals nothing (CON-4).
 */

/** Returns the number scaled by 10^64, so that every accepted decimal is a whole number (VAL-1). */
export function decimalOf(text: string): bigint | null {
  const parts = /^(-?)([0-9]+)(?:\.([0-9]+))?$/.exec(text);
  if (parts === null) return null;
  const [, sign = "", whole = "", fraction = ""] = parts;
  if (whole.length + fraction.length > 64) return null;
  return BigInt(`${sign}${whole}${fraction.padEnd(64, "0")}`);
}

const nanosPerSecond = 1_000_000_000n;
const secondsPerDay = 86_400n;

/** Returns the instant in nanoseconds since 1970-01-01T00:00:00Z (VAL-2); no longer text is one. */
export function instantOf(text: string): bigint | null {
  if (text.length > 64) return null;
  const isYear = /^[0-9]{4}$/.test(text);
  return isYear || /^[0-9]{4}-/.test(text) ? calendarInstant(text) : epochInstant(text);
}

function epochInstant(text: string): bigint | null {
  const parts = /^(-?)([0-9]+)(?:\.([0-9]{1,9}))?$/.exec(text);
  if (parts === null) return null;
  const [, sign = "", whole = "", fraction = ""] = parts;
  const nanos = BigInt(`${sign}${whole}${fraction.padEnd(9, "0")}`);
  const first = daysBeforeYear(1n) * secondsPerDay * nanosPerSecond;
  const end = daysBeforeYear(10_000n) * secondsPerDay * nanosPerSecond;
  return nanos >= first && nanos < end ? nanos : null;
}

const calendar =
  /^([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(?:Z|([+-])([0-9]{2}):([0-9]{2})))?)?)?$/;

function calendarInstant(text: string): bigint | null {
  const parts = calendar.exec(text);
  if (parts === null) return null;
  const number = (group: number, absent: bigint): bigint => BigInt(parts[group] ?? absent);
  const [year, month, day] = [number(1, 0n), number(2, 1n), number(3, 1n)];
  const [hour, minute, second] = [number(4, 0n), number(5, 0n), number(6, 0n)];
  const [offsetHour, offsetMinute] = [number(9, 0n), number(10, 0n)];
  if (year < 1n || month < 1n || month > 12n) return null;
  if (day < 1n || day > daysOfMonth(year, month)) return null;
  if (hour > 23n || minute > 59n || second > 59n) return null;
  if (offsetHour > 23n || offsetMinute > 59n) return null;

  let days = daysBeforeYear(year) + day - 1n;
  for (let earlier = 1n; earlier < month; earlier++) days += daysOfMonth(year, earlier);
  const offset = (offsetHour * 60n + offsetMinute) * 60n * (parts[8] === "-" ? -1n : 1n);
  const seconds = days * secondsPerDay + hour * 3600n + minute * 60n + second - offset;
  return seconds * nanosPerSecond + BigInt((parts[7] ?? "").padEnd(9, "0"));
}

function isLeap(year: bigint): boolean {
  return year % 4n === 0n && (year % 100n !== 0n || year % 400n === 0n);
}

function daysOfMonth(year: bigint, month: bigint): bigint {
  if (month === 2n) return isLeap(year) ? 29n : 28n;
  return month === 4n || month === 6n || month === 9n || month === 11n ? 30n : 31n;
}

/** Days from 1970-01-01 to the first of January of `year`, in the proleptic Gregorian calendar. */
function daysBeforeYear(year: bigint): bigint {
  const y = year - 1n;
  return y * 365n + y / 4n - y / 100n + y / 400n - 719_162n;
}

/** Returns the truth value in any ASCII case (VAL-3). */
export function booleanOf(text: string): boolean | null {
  if (/^[Tt][Rr][Uu][Ee]$/.test(text)) return true;
  return /^[Ff][Aa][Ll][Ss][Ee]$/.test(text) ? false : null;
}

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Returns the decoded bytes as a text of bits (VAL-6); the bits left over are no part of a byte. */
export function bitsOf(text: string): string | null {
  const parts = /^([A-Za-z0-9+/]*)(={0,2})$/.exec(text);
  if (parts === null || text.length % 4 !== 0) return null;
  const [, digits = "", padding = ""] = parts;
  const bits = Array.from(digits, (digit) =>
    base64Alphabet.indexOf(digit).toString(2).padStart(6, "0"),
  ).join("");
  return bits.slice(0, bits.length - padding.length * 2);
}

export interface Address {
  readonly family: 4 | 6;
  readonly bits: bigint;
}

/** A block of addresses: those that agree with `bits` in the first `prefix` bits. */
export interface AddressBlock extends Address {
  readonly prefix: number;
}

const width = { 4: 32, 6: 128 } as const;

/** Returns the block that a policy value names; without a prefix one address (VAL-4). */
export function blockOf(text: string): AddressBlock | null {
  const slash = text.indexOf("/");
  const address = rawAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === null) return null;
  const bits = width[address.family];
  const prefixText = slash < 0 ? String(bits) : text.slice(slash + 1);
  if (!/^(0|[1-9][0-9]{0,2})$/.test(prefixText)) return null;
  const prefix = Number(prefixText);
  if (prefix > bits) return null;
  // VAL-4: a block inside ::ffff:0:0/96 is a block of IPv4
  if (!isMapped(address) || prefix < 96) return { ...address, prefix };
  return { ...unmapped(address), prefix: prefix - 96 };
}

/** Returns the address that a request value names, an IPv4-mapped one as IPv4 (VAL-4). */
export function addressOf(text: string): Address | null {
  const address = rawAddress(text);
  return address !== null && isMapped(address) ? unmapped(address) : address;
}

/** Returns whether the block holds the address; the two families never meet (VAL-4). */
export function holds(block: AddressBlock, address: Address): boolean {
  if (block.family !== address.family) return false;
  const hostBits = BigInt(width[block.family] - block.prefix);
  return block.bits >> hostBits === address.bits >> hostBits;
}

function isMapped(address: Address): boolean {
  return address.family === 6 && address.bits >> 32n === 0xffffn;
}

function unmapped(address: Address): Address {
  return { family: 4, bits: address.bits & 0xffff_ffffn };
}

function rawAddress(text: string): Address | null {
  const family = text.includes(":") ? 6 : 4;
  const bits = family === 6 ? ipv6Bits(text) : ipv4Bits(text);
  return bits === null ? null : { family, bits };
}

function ipv4Bits(text: string): bigint | null {
  const parts = text.split(".");
  if (parts.length !== 4) return null;
  let bits = 0n;
  for (const part of parts) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return null;
    bits = bits * 256n + BigInt(part);
  }
  return bits;
}

function ipv6Bits(text: string): bigint | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head = "", tail = ""] = halves;
  const before = groupsOf(head, halves.length === 1);
  const after = groupsOf(tail, true);
  if (before === null || after === null) return null;
  const gap = 8 - before.length - after.length;
  // `::` stands for at least one group; without it all eight are there
  if (halves.length === 2 ? gap < 1 : gap !== 0) return null;
  const groups = [...before, ...Array.from({ length: gap }, () => 0n), ...after];
  return groups.reduce((bits, group) => bits * 65_536n + group, 0n);
}

/** The groups of one side of `::`; the last two may be written as IPv4 where the text ends. */
function groupsOf(text: string, atEnd: boolean): bigint[] | null {
  if (text === "") return [];
  const groups: bigint[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (/^[0-9A-Fa-f]{1,4}$/.test(part)) {
      groups.push(BigInt(`0x${part}`));
    } else {
      const bits = atEnd && index === parts.length - 1 ? ipv4Bits(part) : null;
      if (bits === null) return null;
      groups.push(bits >> 16n, bits & 0xffffn);
    }
  }
  return groups;
}
