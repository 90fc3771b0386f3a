import * as Field from "./Field.ts"
import * as Ipv6 from "./Ipv6.ts"
import { hostName, port, secretKey, secretName } from "./Name.ts"
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

const TlsSecret = Field.object(
  {
    name: secretName,
    caKey: Field.withDefault(
      secretKey("Key of the PEM file with the certificate authorities to trust; it may hold several certificates."),
      "ca.crt"
    ),
    certKey: Field.withDefault(
      secretKey("Key of the PEM client certificate, with its chain. Only used when it, or keyKey, is in the Secret."),
      "tls.crt"
    ),
    keyKey: Field.withDefault(secretKey("Key of the unencrypted PEM private key that belongs to certKey."), "tls.key")
  },
  {
    description:
      "Secret with TLS material. A Secret that holds only the authorities is enough for TLS without a client certificate; a client certificate needs certificate and key. Without tlsSecret the authorities of the system are trusted."
  }
)

const SaslSecret = Field.object(
  {
    name: secretName,
    mechanism: Field.choice(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], {
      description: "SASL mechanism that the brokers expect: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."
    }),
    usernameKey: Field.withDefault(secretKey("Key of the user name. A trailing line break is stripped."), "username"),
    passwordKey: Field.withDefault(secretKey("Key of the password. A trailing line break is stripped."), "password")
  },
  { description: "Secret with the SASL credentials, and the mechanism. Needed for SASL_PLAINTEXT and SASL_SSL." }
)

export const KafkaClusterSpec = Field.object(
  {
    bootstrapServers: Field.list(BootstrapServer, {
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
    }),
    securityProtocol: Field.withDefault(
      Field.choice(["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], {
        description:
          "How to connect to the brokers: PLAINTEXT, SSL (TLS), SASL_PLAINTEXT (credentials, no encryption) or SASL_SSL (credentials over TLS)."
      }),
      "PLAINTEXT"
    ),
    tlsSecret: Field.optional(TlsSecret),
    saslSecret: Field.optional(SaslSecret)
  },
  {
    description: "The Kafka cluster to back up, and how to connect to it.",
    rules: [
      Rule.rule({
        cel: "!self.securityProtocol.startsWith('SASL_') || has(self.saslSecret)",
        message: "securityProtocol SASL_PLAINTEXT and SASL_SSL need saslSecret with name and mechanism",
        reason: "FieldValueRequired",
        fieldPath: ".saslSecret",
        holds: (self) => !self.securityProtocol.startsWith("SASL_") || self.saslSecret !== undefined
      }),
      Rule.rule({
        cel: "self.securityProtocol.startsWith('SASL_') || !has(self.saslSecret)",
        message:
          "saslSecret has no effect with this securityProtocol: set SASL_SSL or SASL_PLAINTEXT, or remove saslSecret",
        reason: "FieldValueForbidden",
        fieldPath: ".saslSecret",
        holds: (self) => self.securityProtocol.startsWith("SASL_") || self.saslSecret === undefined
      }),
      Rule.rule({
        cel: "self.securityProtocol.endsWith('SSL') || !has(self.tlsSecret)",
        message: "tlsSecret has no effect with this securityProtocol: set SSL or SASL_SSL, or remove tlsSecret",
        reason: "FieldValueForbidden",
        fieldPath: ".tlsSecret",
        holds: (self) => self.securityProtocol.endsWith("SSL") || self.tlsSecret === undefined
      })
    ]
  }
)
export type KafkaClusterSpec = typeof KafkaClusterSpec.Type
