import * as Field from "./Field.ts"
import { secretKey, secretName } from "./Name.ts"
import * as Rule from "./Rule.ts"

/** What nobody sees in a manifest, and what SASLprep (RFC 4013) forbids or removes. */
const invisible = "[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]"

/** The key of the user name where none is given. */
const usernameKey = "username"

/** The Secret with user name and password, and the mechanism they are for. */
export const SaslSecret = Field.object(
  {
    name: secretName,
    mechanism: Field.choice(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], {
      description: "SASL mechanism that the brokers expect: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."
    }),
    username: Field.optional(
      Field.text({
        description:
          "The user name itself, for Secrets that hold only a password, such as that of a Strimzi KafkaUser with SCRAM-SHA-512. With it usernameKey is not read.",
        maxLength: 253,
        rules: [
          Rule.avoids(invisible, "must be a user name of one line, without control and other invisible characters"),
          Rule.matchesUnless(
            invisible,
            "^[^\\p{Z}](.*[^\\p{Z}])?$",
            "must be a user name, not empty and without blanks at either end"
          )
        ]
      })
    ),
    usernameKey: Field.withDefault(
      secretKey("Key of the user name. A trailing line break is stripped. Not read where username is given."),
      usernameKey
    ),
    passwordKey: Field.withDefault(secretKey("Key of the password. A trailing line break is stripped."), "password")
  },
  {
    description: "Secret with the SASL credentials, and the mechanism. Needed for SASL_PLAINTEXT and SASL_SSL.",
    rules: [
      Rule.rule({
        cel: `!has(self.username) || self.usernameKey == '${usernameKey}'`,
        message: "usernameKey has no effect beside username, which is the user name itself: remove one of the two",
        reason: "FieldValueForbidden",
        fieldPath: ".usernameKey",
        holds: (self) => self.username === undefined || self.usernameKey === usernameKey
      })
    ]
  }
)
