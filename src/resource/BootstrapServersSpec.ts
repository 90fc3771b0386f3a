import * as Field from "./Field.ts"
import * as Ipv6 from "./Ipv6.ts"
import { hostName, port } from "./Name.ts"
import * as Rule from "./Rule.ts"

const BootstrapServer = Field.text({
  description:
    "Address of one broker as host:port, for example kafka-0.kafka.svc:9092; IPv6 in brackets: [fd00::1]:9092.",
  maxLength: 261,
  rules: [
    Rule.avoids("://", "must be host:port without a scheme; the protocol goes into securityProtocol"),
    Rule.avoids(
      "[, \\t\\r\\n]",
      "must be one broker without blanks or commas; write each broker as its own list entry"
    ),
    Rule.matchesUnless(
      "://|[, \\t\\r\\n]",
      `^(\\[[0-9A-Fa-f:.]+\\]|${hostName}):${port}$`,
      "must be host:port with a port from 1 to 65535, for example kafka-0.kafka.svc:9092 or [fd00::1]:9092"
    ),
    Rule.rule<string>({
      cel: `!self.matches(r'^\\[[0-9A-Fa-f:.]+\\]') || ${Ipv6.celIsIpv6(Ipv6.celInBrackets)}`,
      message: "the address in brackets must be an IPv6 address, for example [fd00::1]:9092",
      holds: (self) => !/^\[[0-9A-Fa-f:.]+\]/.test(self) || Ipv6.holdsInBrackets(self)
    })
  ]
})

/** Where to start from: one address that answers is enough. */
export const BootstrapServers = Field.list(BootstrapServer, {
  description:
    "Broker addresses to start from, host:port each. One that answers is enough; the other brokers are discovered through it.",
  maxItems: 100,
  rules: [
    Rule.rule({
      cel: "self.size() >= 1",
      message: "must contain at least one broker as host:port, for example kafka-0.kafka.svc:9092",
      holds: (self) => self.length >= 1
    }),
    Rule.rule({
      cel: "self.all(server, self.exists_one(other, other == server))",
      message: "must not name a broker twice: remove the second entry",
      holds: (self) => new Set(self).size === self.length
    })
  ]
})
