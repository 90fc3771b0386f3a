import * as Field from "./Field.ts"
import { secretKey, secretName } from "./Name.ts"
import * as Rule from "./Rule.ts"

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

/** IAM access control of Amazon MSK. */
export const AwsMskIamSpec = Field.object(
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
export type AwsMskIamSpec = typeof AwsMskIamSpec.Type
