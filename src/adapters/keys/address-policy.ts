import { BlockList, isIP } from "node:net";

/** Link-local, metadata, and addresses that are nobody's host: refused whatever is configured. */
const neverFetched: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["169.254.0.0", 16],
  ["192.0.0.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  ["::", 128],
  ["fe80::", 10],
  ["ff00::", 8],
  // The metadata services of AWS (inside fd00::/8), Alibaba Cloud and Oracle Cloud.
  ["fd00:ec2::", 32],
  ["100.100.100.200", 32],
  ["192.0.0.192", 32],
  // Link-local behind a NAT64 gateway and behind 6to4.
  ["64:ff9b::a9fe:0", 112],
  ["2002:a9fe::", 32],
];

const loopback: readonly (readonly [string, number])[] = [
  ["127.0.0.0", 8],
  ["::1", 128],
];

/** Networks that are private to an organization (RFC 1918, RFC 4193, RFC 6598). */
const privateNetworks: readonly (readonly [string, number])[] = [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["100.64.0.0", 10],
  ["fc00::", 7],
];

const neverList = blockListOf(neverFetched);
const loopbackList = blockListOf(loopback);
const privateList = blockListOf(privateNetworks);

/** What kind of host an address belongs to; `never` is not connected to under any setting. */
export type AddressClass = "never" | "loopback" | "private" | "public";

/**
 * Returns the class of an IP address in text form; `never` for a text that is none, and for one with a
 * zone (`fe80::1%eth0`), which only link-local addresses have. An IPv4 address inside an IPv6 one
 * (`::ffff:169.254.169.254`) is classed as what it reaches. Source: JWT-249.
 */
export function classifyAddress(address: string): AddressClass {
  const version = isIP(address);
  if (version === 0 || address.includes("%")) return "never";
  const family = version === 4 ? "ipv4" : "ipv6";
  if (neverList.check(address, family)) return "never";
  if (loopbackList.check(address, family)) return "loopback";
  return privateList.check(address, family) ? "private" : "public";
}

function blockListOf(networks: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of networks) {
    list.addSubnet(network, prefix, isIP(network) === 4 ? "ipv4" : "ipv6");
  }
  return list;
}
