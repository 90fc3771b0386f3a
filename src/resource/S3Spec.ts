import { endpoint } from "./Endpoint.ts"
import * as Field from "./Field.ts"
import { secretKey, secretName } from "./Name.ts"
import { S3ObjectLock } from "./ObjectLockSpec.ts"
import { ObjectPrefix } from "./ObjectPrefix.ts"
import { S3Tags } from "./ObjectTags.ts"
import * as Rule from "./Rule.ts"
import { AssumeRole } from "./S3RoleSpec.ts"
import { S3StorageClass, ServerSideEncryption } from "./S3StoringSpec.ts"

/** A URL whose host is an IPv4 or IPv6 address. */
const addressed = "^(?i:https?)://([0-9]+([.][0-9]+){3}([:/]|$)|\\[)"
const addressedRegExp = new RegExp(addressed, "u")

const S3CredentialsSecret = Field.object(
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

const CaSecret = Field.object(
  {
    name: secretName,
    caKey: Field.withDefault(
      secretKey("Key of the PEM file with the certificate authorities; it may hold several certificates."),
      "ca.crt"
    )
  },
  {
    description:
      "Secret with the private certificate authorities of an https endpoint. They are trusted for this endpoint in addition to the public ones and the system's."
  }
)

export const S3Spec = Field.object(
  {
    bucket: Field.text({
      description: "Bucket that keeps the backups. It must exist.",
      maxLength: 63,
      rules: [
        Rule.matches(
          "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
          "must be a bucket's name, 3 to 63 lower case letters, digits, '-' and '.'; a path goes into prefix, an ARN or URL is not a name"
        ),
        Rule.rule<string>({
          cel: "!self.contains('..') && !self.matches(r'^[0-9]+([.][0-9]+){3}$')",
          message: "must not contain '..' or look like an IP address",
          holds: (self) => !self.includes("..") && !/^[0-9]+([.][0-9]+){3}$/.test(self)
        })
      ]
    }),
    region: Field.text({
      description: "Region of the bucket, for example us-west-2. S3-compatible servers usually accept us-east-1.",
      maxLength: 63,
      rules: [Rule.matches("^[A-Za-z0-9][A-Za-z0-9-]*$", "must be a region's name, for example us-west-2")]
    }),
    prefix: Field.optional(ObjectPrefix("Prefix of all object keys, for example production/hourly.")),
    endpoint: endpoint(
      "Address of an S3-compatible server such as MinIO, for example https://minio.storage.svc:9000; addressed path-style unless addressingStyle says otherwise. Empty or absent: AWS."
    ),
    caSecret: Field.optional(CaSecret),
    credentialsSecret: Field.optional(S3CredentialsSecret),
    assumeRole: Field.optional(AssumeRole),
    addressingStyle: Field.optional(
      Field.choice(["auto", "path", "virtual"], {
        description:
          "Where the bucket stands in addresses. path: https://host/bucket. virtual: https://bucket.host. auto, as when absent: path with an endpoint or with dots in the bucket's name, else virtual."
      })
    ),
    requesterPays: Field.optional(
      Field.flag({
        description:
          "The bucket's owner has its requesters pay: every request, to list and to read too, says that this account does."
      })
    ),
    serverSideEncryption: Field.optional(ServerSideEncryption),
    storageClass: Field.optional(S3StorageClass),
    objectLock: Field.optional(S3ObjectLock),
    tags: Field.optional(S3Tags)
  },
  {
    description: "Amazon S3 or a server that speaks its protocol.",
    rules: [
      // The endpoint's own rules report everything else about it.
      Rule.rule({
        cel: "!has(self.caSecret) || (has(self.endpoint) && self.endpoint != '' && !self.endpoint.matches(r'^(?i:http)://'))",
        message: "caSecret has no effect without an https:// endpoint: write https:// there, or remove caSecret",
        reason: "FieldValueForbidden",
        fieldPath: ".caSecret",
        // Empty counts as absent, also as the user wrote it.
        holds: ({ caSecret, endpoint = "" }) =>
          caSecret === undefined || (endpoint !== "" && !/^http:\/\//i.test(endpoint))
      }),
      Rule.rule({
        cel: "!has(self.addressingStyle) || self.addressingStyle != 'virtual' || !self.bucket.contains('.')",
        message:
          "addressingStyle virtual does not work with dots in the bucket's name, which no certificate covers: write path, or remove it",
        reason: "FieldValueForbidden",
        fieldPath: ".addressingStyle",
        holds: ({ addressingStyle, bucket }) => addressingStyle !== "virtual" || !bucket.includes(".")
      }),
      Rule.rule({
        cel: `!has(self.addressingStyle) || self.addressingStyle != 'virtual' || !has(self.endpoint) || !self.endpoint.matches(r'${addressed}')`,
        message:
          "addressingStyle virtual does not work with an IP address as endpoint, which no bucket can stand before: write path, or a host name into endpoint",
        reason: "FieldValueForbidden",
        fieldPath: ".addressingStyle",
        holds: ({ addressingStyle, endpoint = "" }) => addressingStyle !== "virtual" || !addressedRegExp.test(endpoint)
      })
    ]
  }
)
export type S3Spec = typeof S3Spec.Type
