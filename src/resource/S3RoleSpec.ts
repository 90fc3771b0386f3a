import { endpoint } from "./Endpoint.ts"
import * as Field from "./Field.ts"
import * as Rule from "./Rule.ts"

export const AssumeRole = Field.object(
  {
    roleArn: Field.text({
      description: "ARN of the role, for example arn:aws:iam::123456789012:role/kafka-backup.",
      maxLength: 2048,
      rules: [
        Rule.matches(
          "^arn:[A-Za-z0-9-]+:iam::[A-Za-z0-9_-]*:role/[A-Za-z0-9+=,.@_/-]+$",
          "must be a role's ARN, for example arn:aws:iam::123456789012:role/kafka-backup"
        )
      ]
    }),
    externalId: Field.optional(
      Field.text({
        description: "External id that the role's trust policy demands, 2 to 1224 characters. It is no secret.",
        maxLength: 1224,
        rules: [
          Rule.matches(
            "^[A-Za-z0-9_+=,.@:/-]{2,}$",
            "must consist of two or more letters, digits and _ + = , . @ : / - without blanks"
          )
        ]
      })
    ),
    sessionName: Field.optional(
      Field.text({
        description: "Name of the session in CloudTrail, 2 to 64 characters. Absent: kafka-backup.",
        maxLength: 64,
        rules: [
          Rule.matches(
            "^[A-Za-z0-9_+=,.@-]{2,}$",
            "must consist of two or more letters, digits and _ + = , . @ - without blanks"
          )
        ]
      })
    ),
    endpoint: endpoint(
      "Address of the token service (STS). Empty or absent: that of storage.s3.endpoint, else the region's own."
    )
  },
  {
    description:
      "Role that is assumed for every request, with the keys of credentialsSecret or else the pod's own identity: for a bucket in another account. Its sessions last an hour and are renewed by themselves."
  }
)
