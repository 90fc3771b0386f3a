import { isIPv6 } from "node:net"

/*
 * IPv6 addresses in brackets, as hosts of brokers and stores.
 *
 * The API server's `isIP` refuses IPv4-mapped addresses (`::ffff:10.0.0.1`), which Kafka and stores accept. A mapped
 * address holds the group `ffff`; with another group in its place it is an ordinary address of the same shape. So CEL
 * judges the shape of that one.
 */

/** An address of the same shape that `isIP` judges. `cel` is an expression of type string. */
export const celShape = (cel: string): string => `${cel}.lowerAscii().replace('ffff', 'fffe')`

/** The text stands for an IPv6 address without its brackets. `cel` is an expression of type string. */
export const celIsIpv6 = (cel: string): string => {
  const shape = celShape(cel)
  return `(isIP(${shape}) && ip(${shape}).family() == 6)`
}

/** CEL for what stands between the first brackets of `self`. */
export const celInBrackets = "self.substring(self.indexOf('[') + 1, self.indexOf(']'))"

/** What stands between the first brackets is an IPv6 address. */
export const holdsInBrackets = (text: string): boolean => isIPv6(text.slice(text.indexOf("[") + 1, text.indexOf("]")))
