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

const OAuthBearerSpec = Field.object(
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

const MskCredentialsSecret = Field.object(
  {
    name: secretName,
    accessKeyKey: Field.withDefault(secretKey("Key of the access key id."), "accessKey"),
    secretKeyKey: Field.withDefault(secretKey("Key of the secret access key."), "secretKey")
  },
  {
    description:
      "Secret with static access keys. Without it the pod's own identity is used: IRSA, EKS Pod Identity or the instance's role."
  }
)

const AwsMskIamSpec = Field.object(
  {
    region: Field.text({
      description: "Region of the MSK cluster, for example us-west-2.",
      maxLength: 63,
      rules: [Rule.matches("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "must be a region's name, for example us-west-2")]
    }),
    roleArn: Field.optional(
      Field.text({
        description:
          "Role to assume for the brokers, for example of the account that has the cluster. Absent: the pod's own role, or the user of the keys.",
        maxLength: 2048,
        rules: [
          Rule.matches(
            "^arn:[a-z0-9-]+:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$",
            "must be the ARN of a role, for example arn:aws:iam::123456789012:role/kafka-backup"
          )
        ]
      })
    ),
    externalId: Field.optional(
      Field.text({
        description: "External id that the trust policy of roleArn asks for.",
        maxLength: 1224,
        rules: [
          Rule.matches(
            "^[A-Za-z0-9+=,.@:/_-]{2,}$",
            "must be an external id: 2 or more letters, digits and any of + = , . @ : / _ -"
          )
        ]
      })
    ),
    credentialsSecret: Field.optional(MskCredentialsSecret)
  },
  {
    description: "IAM access control of Amazon MSK. The brokers' port is 9098, from elsewhere 9198.",
    rules: [
      Rule.rule({
        cel: "!has(self.externalId) || has(self.roleArn)",
        message: "externalId has no effect without roleArn: name the role, or remove externalId",
        reason: "FieldValueForbidden",
        fieldPath: ".externalId",
        holds: (self) => self.externalId === undefined || self.roleArn !== undefined
      })
    ]
  }
)

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
