import { AwsMskIamSpec } from "./AwsMskIamSpec.ts"
import * as Field from "./Field.ts"
import { OAuthBearerSpec } from "./OAuthBearerSpec.ts"
import * as Rule from "./Rule.ts"

/** The block that belongs to each mechanism. */
const blocks = { OAUTHBEARER: "oauthBearer", AWS_MSK_IAM: "awsMskIam" } as const
type Mechanism = keyof typeof blocks
type Block = (typeof blocks)[Mechanism]
const mechanisms = Object.keys(blocks) as ReadonlyArray<Mechanism>

type Written = { readonly mechanism: Mechanism } & { readonly [K in Block]?: unknown }

const needsBlock = (mechanism: Mechanism, holding: string) =>
  Rule.rule<Written>({
    cel: `self.mechanism != '${mechanism}' || has(self.${blocks[mechanism]})`,
    message: `mechanism ${mechanism} needs the block sasl.${blocks[mechanism]} with ${holding}`,
    reason: "FieldValueRequired",
    fieldPath: `.${blocks[mechanism]}`,
    holds: (self) => self.mechanism !== mechanism || self[blocks[mechanism]] !== undefined
  })

const refusesBlock = (mechanism: Mechanism) =>
  Rule.rule<Written>({
    cel: `self.mechanism == '${mechanism}' || !has(self.${blocks[mechanism]})`,
    message: `${blocks[mechanism]} has no effect with this mechanism: set mechanism ${mechanism}, or remove ${blocks[mechanism]}`,
    reason: "FieldValueForbidden",
    fieldPath: `.${blocks[mechanism]}`,
    holds: (self) => self.mechanism === mechanism || self[blocks[mechanism]] === undefined
  })

/** SASL with tokens. User names and passwords are in saslSecret. */
export const SaslSpec = Field.object(
  {
    mechanism: Field.choice(mechanisms, {
      description:
        "OAUTHBEARER (tokens of an OAuth 2 server, a Secret or the service account) or AWS_MSK_IAM (Amazon MSK). PLAIN and SCRAM are set in saslSecret."
    }),
    oauthBearer: Field.optional(OAuthBearerSpec),
    awsMskIam: Field.optional(AwsMskIamSpec)
  },
  {
    description:
      "SASL with tokens instead of user name and password, for SASL_SSL and SASL_PLAINTEXT. Excludes saslSecret.",
    rules: [
      needsBlock("OAUTHBEARER", "a source of tokens"),
      needsBlock("AWS_MSK_IAM", "region"),
      ...mechanisms.map(refusesBlock)
    ]
  }
)
export type SaslSpec = typeof SaslSpec.Type

interface Holder {
  readonly securityProtocol: string
  readonly saslSecret?: unknown
  readonly sasl?: { readonly mechanism: string } | undefined
  readonly strimziRef?: unknown
}

/** Of the cluster that has it. */
export const saslRules: ReadonlyArray<Rule.Rule<Holder>> = [
  Rule.rule({
    cel: "!has(self.saslSecret) || !has(self.sasl)",
    message: "choose one: saslSecret for user name and password, or sasl for tokens",
    reason: "FieldValueForbidden",
    fieldPath: ".sasl",
    holds: (self) => self.saslSecret === undefined || self.sasl === undefined
  }),
  Rule.rule({
    cel: "self.securityProtocol.startsWith('SASL_') || !has(self.sasl) || has(self.strimziRef)",
    message: "sasl has no effect with this securityProtocol: set SASL_SSL or SASL_PLAINTEXT, or remove sasl",
    reason: "FieldValueForbidden",
    fieldPath: ".sasl",
    holds: (self) =>
      self.securityProtocol.startsWith("SASL_") || self.sasl === undefined || self.strimziRef !== undefined
  }),
  Rule.rule({
    cel: "self.securityProtocol != 'SASL_PLAINTEXT' || !has(self.sasl) || self.sasl.mechanism != 'AWS_MSK_IAM'",
    message: "mechanism AWS_MSK_IAM needs securityProtocol SASL_SSL: MSK takes tokens of IAM over TLS only",
    reason: "FieldValueForbidden",
    fieldPath: ".securityProtocol",
    holds: (self) => self.securityProtocol !== "SASL_PLAINTEXT" || self.sasl?.mechanism !== "AWS_MSK_IAM"
  })
]
