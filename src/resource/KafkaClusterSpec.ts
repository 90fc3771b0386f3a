import { BootstrapServers } from "./BootstrapServersSpec.ts"
import { CaSecret, caSecretRules } from "./CaSecretSpec.ts"
import * as Field from "./Field.ts"
import * as Rule from "./Rule.ts"
import { SaslSecret } from "./SaslSecretSpec.ts"
import { StrimziRef, strimziRefRules } from "./StrimziRefSpec.ts"
import { saslRules, SaslSpec } from "./SaslSpec.ts"
import { TlsSecret } from "./TlsSecretSpec.ts"

export const KafkaClusterSpec = Field.object(
  {
    bootstrapServers: Field.optional(BootstrapServers),
    strimziRef: Field.optional(StrimziRef),
    securityProtocol: Field.withDefault(
      Field.choice(["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], {
        description:
          "How to connect to the brokers: PLAINTEXT, SSL (TLS), SASL_PLAINTEXT (credentials, no encryption) or SASL_SSL (credentials over TLS)."
      }),
      "PLAINTEXT"
    ),
    caSecret: Field.optional(CaSecret),
    tlsSecret: Field.optional(TlsSecret),
    saslSecret: Field.optional(SaslSecret),
    sasl: Field.optional(SaslSpec)
  },
  {
    description: "The Kafka cluster to back up, and how to connect to it.",
    rules: [
      // Beside strimziRef its own rule reports everything.
      ...strimziRefRules,
      ...caSecretRules,
      ...saslRules,
      Rule.rule({
        cel: "!self.securityProtocol.startsWith('SASL_') || has(self.saslSecret) || has(self.sasl) || has(self.strimziRef)",
        message:
          "securityProtocol SASL_PLAINTEXT and SASL_SSL need saslSecret with name and mechanism, or sasl for tokens",
        reason: "FieldValueRequired",
        fieldPath: ".saslSecret",
        holds: (self) =>
          !self.securityProtocol.startsWith("SASL_") ||
          self.saslSecret !== undefined ||
          self.sasl !== undefined ||
          self.strimziRef !== undefined
      }),
      Rule.rule({
        cel: "self.securityProtocol.startsWith('SASL_') || !has(self.saslSecret) || has(self.strimziRef)",
        message:
          "saslSecret has no effect with this securityProtocol: set SASL_SSL or SASL_PLAINTEXT, or remove saslSecret",
        reason: "FieldValueForbidden",
        fieldPath: ".saslSecret",
        holds: (self) =>
          self.securityProtocol.startsWith("SASL_") || self.saslSecret === undefined || self.strimziRef !== undefined
      }),
      Rule.rule({
        cel: "self.securityProtocol.endsWith('SSL') || !has(self.tlsSecret) || has(self.strimziRef)",
        message: "tlsSecret has no effect with this securityProtocol: set SSL or SASL_SSL, or remove tlsSecret",
        reason: "FieldValueForbidden",
        fieldPath: ".tlsSecret",
        holds: (self) =>
          self.securityProtocol.endsWith("SSL") || self.tlsSecret === undefined || self.strimziRef !== undefined
      })
    ]
  }
)
export type KafkaClusterSpec = typeof KafkaClusterSpec.Type
