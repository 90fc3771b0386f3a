import * as Field from "./Field.ts"
import { secretKey, secretName } from "./Name.ts"
import * as Rule from "./Rule.ts"

/** The Secret with the authorities alone, for clusters whose operator keeps them apart from client certificates. */
export const CaSecret = Field.object(
  {
    name: secretName,
    key: Field.withDefault(
      secretKey("Key of the PEM file with the certificate authorities to trust; it may hold several certificates."),
      "ca.crt"
    )
  },
  {
    description:
      "Secret with nothing but the certificate authorities of the brokers, such as Strimzi's <cluster>-cluster-ca-cert. With it tlsSecret serves only the client certificate, and its caKey is not read."
  }
)

interface Holder {
  readonly securityProtocol: string
  readonly caSecret?: unknown
  readonly strimziRef?: unknown
}

/** Of the cluster that has it. */
export const caSecretRules: ReadonlyArray<Rule.Rule<Holder>> = [
  Rule.rule({
    cel: "self.securityProtocol.endsWith('SSL') || !has(self.caSecret) || has(self.strimziRef)",
    message: "caSecret has no effect with this securityProtocol: set SSL or SASL_SSL, or remove caSecret",
    reason: "FieldValueForbidden",
    fieldPath: ".caSecret",
    holds: ({ caSecret, securityProtocol, strimziRef }) =>
      securityProtocol.endsWith("SSL") || caSecret === undefined || strimziRef !== undefined
  })
]
