import { BlockList, isIP } from "node:net"

/** Whether an address is one that the whole world can be told to call. */
export const isPublic = (address: string): boolean => {
  switch (isIP(address)) {
    case 4:
      return !PRIVATE_4.check(address, "ipv4")
    case 6:
      return !address.includes("%") && GLOBAL_6.check(address, "ipv6") && !SPECIAL_6.check(address, "ipv6")
    default:
      return false
  }
}

const networks = (family: "ipv4" | "ipv6", ...subnets: ReadonlyArray<readonly [string, number]>) => {
  const list = new BlockList()
  for (const [network, bits] of subnets) list.addSubnet(network, bits, family)
  return list
}

const PRIVATE_4 = networks(
  "ipv4",
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4]
)
/** All else of IPv6 is local, mapped, translated or reserved. */
const GLOBAL_6 = networks("ipv6", ["2000::", 3])
/** Tunnels and documentation within it. */
const SPECIAL_6 = networks("ipv6", ["2001::", 23], ["2001:db8::", 32], ["2002::", 16], ["3fff::", 20])
