import { ClientCredentialsSpec } from "./ClientCredentialsSpec.ts"
import * as Field from "./Field.ts"
import { secretKey, secretName } from "./Name.ts"
import * as Rule from "./Rule.ts"

const TokenSecret = Field.object(
  {
    name: secretName,
    key: Field.withDefault(secretKey("Key of the token. A trailing line break is stripped."), "token")
  },
  {
    description:
      "Secret with a token that somebody else keeps fresh. It is read again for every connection and every renewal of a session."
  }
)

const ServiceAccountTokenSpec = Field.object(
  {
    audience: Field.text({
      description: "Audience of the token, as the brokers expect it, for example kafka or https://kafka.example.com.",
      maxLength: 80,
      rules: [
        Rule.matches("^[!-~]+$", "must be printable ASCII without blanks, and not empty"),
        Rule.avoids(
          "^[.]",
          "must not begin with a dot: write the audience that the brokers expect, for example kafka or https://kafka.example.com"
        ),
        Rule.avoids(
          "kubernetes[.]default",
          "must not be the audience of the API server: the token is sent to the brokers, which could act with it"
        )
      ]
    }),
    expirationSeconds: Field.withDefault(
      Field.integer({
        description: "Life of the token, in seconds. The kubelet renews it when a fifth of its life is left.",
        minimum: 600,
        maximum: 86_400
      }),
      3600
    )
  },
  {
    description:
      "The token of the pod's own service account (podTemplate.serviceAccountName), for brokers that trust the issuer of this Kubernetes cluster. No Secret is needed."
  }
)

const ways = ["clientCredentials", "tokenSecret", "serviceAccountToken"] as const

/** Where tokens for OAUTHBEARER come from. */
export const OAuthBearerSpec = Field.object(
  {
    clientCredentials: Field.optional(ClientCredentialsSpec),
    tokenSecret: Field.optional(TokenSecret),
    serviceAccountToken: Field.optional(ServiceAccountTokenSpec),
    extensions: Field.optional(
      Field.map(
        Field.text({
          description: "Value of one extension.",
          maxLength: 1024,
          rules: [Rule.matches("^[ -~]+$", "must be printable ASCII, and not empty")]
        }),
        {
          description:
            "SASL extensions that are sent with the token (KIP-342), for example logicalCluster and identityPoolId for Confluent Cloud.",
          maxProperties: 20,
          rules: [
            Rule.rule({
              cel: "self.size() >= 1",
              message: "must have at least one extension: write one, or remove extensions",
              holds: (self) => Object.keys(self).length >= 1
            }),
            Rule.rule({
              cel: "self.all(name, name.matches(r'^[A-Za-z]{1,64}$') && name != 'auth')",
              message: "names of extensions are 1 to 64 letters, and not auth, for example logicalCluster",
              holds: (self) => Object.keys(self).every((name) => /^[A-Za-z]{1,64}$/u.test(name) && name !== "auth")
            })
          ]
        }
      )
    )
  },
  {
    description:
      "Where the tokens for SASL OAUTHBEARER come from. Choose one: clientCredentials, tokenSecret or serviceAccountToken.",
    rules: [
      Rule.rule({
        cel: "[has(self.clientCredentials), has(self.tokenSecret), has(self.serviceAccountToken)].exists_one(given, given)",
        message: "choose one source of tokens: clientCredentials, tokenSecret or serviceAccountToken",
        holds: (self) => ways.filter((way) => self[way] !== undefined).length === 1
      })
    ]
  }
)
export type OAuthBearerSpec = typeof OAuthBearerSpec.Type
