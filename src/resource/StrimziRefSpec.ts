import * as Field from "./Field.ts"
import { objectName } from "./Name.ts"
import * as Rule from "./Rule.ts"

/** A cluster that Strimzi runs, by the names of its resources. */
export const StrimziRef = Field.object(
  {
    name: objectName("Kafka resource", "Name of Strimzi's Kafka resource, in the namespace of this resource."),
    listener: Field.text({
      description: "Name of the listener to use, as in spec.kafka.listeners of the Kafka resource.",
      maxLength: 11,
      rules: [
        Rule.matches(
          "^[a-z0-9]{1,11}$",
          "must be the name of a listener, as Strimzi allows it: 1 to 11 lower case letters and digits, for example tls"
        )
      ]
    }),
    user: Field.optional(
      objectName(
        "KafkaUser",
        "Name of the KafkaUser to log in as, in the namespace of this resource. Needed unless the listener has no authentication."
      )
    )
  },
  {
    description:
      "A Kafka cluster that Strimzi runs, instead of everything else here, and of the default of securityProtocol: an operator with --strimzi reads address, protocol and Secrets from the Kafka and the KafkaUser in the namespace of this resource before each Job. Commands by hand refuse it."
  }
)
export type StrimziRef = typeof StrimziRef.Type

interface Holder {
  readonly bootstrapServers?: unknown
  readonly securityProtocol: string
  readonly tlsSecret?: unknown
  readonly saslSecret?: unknown
  readonly caSecret?: unknown
  readonly sasl?: unknown
  readonly strimziRef?: unknown
}

/** Of the cluster that has it: where the addresses come from, and that nothing is said twice. */
export const strimziRefRules: ReadonlyArray<Rule.Rule<Holder>> = [
  Rule.rule({
    cel: "has(self.bootstrapServers) || has(self.strimziRef)",
    message:
      "must contain at least one broker as host:port, for example kafka-0.kafka.svc:9092; only strimziRef replaces it",
    reason: "FieldValueRequired",
    fieldPath: ".bootstrapServers",
    holds: (self) => self.bootstrapServers !== undefined || self.strimziRef !== undefined
  }),
  Rule.rule({
    cel: "!has(self.strimziRef) || (!has(self.bootstrapServers) && self.securityProtocol == 'PLAINTEXT' && !has(self.tlsSecret) && !has(self.saslSecret) && !has(self.sasl) && !has(self.caSecret))",
    message:
      "address, protocol, authorities and credentials come from Strimzi's resources: remove bootstrapServers, securityProtocol (PLAINTEXT, the default, means nothing here), tlsSecret, saslSecret, sasl and caSecret beside it, or remove strimziRef",
    reason: "FieldValueForbidden",
    fieldPath: ".strimziRef",
    holds: (self) =>
      self.strimziRef === undefined ||
      (self.bootstrapServers === undefined &&
        self.securityProtocol === "PLAINTEXT" &&
        self.tlsSecret === undefined &&
        self.saslSecret === undefined &&
        self.sasl === undefined &&
        self.caSecret === undefined)
  })
]
