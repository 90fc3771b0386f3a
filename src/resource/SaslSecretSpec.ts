import * as Field from "./Field.ts"
import { secretKey, secretName } from "./Name.ts"
import * as Rule from "./Rule.ts"

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
        rules: [Rule.matches("^[^\\r\\n\\x00]+$", "must be a user name of one line, and not empty")]
      })
    ),
    usernameKey: Field.withDefault(
      secretKey("Key of the user name. A trailing line break is stripped. Not read where username is given."),
      "username"
    ),
    passwordKey: Field.withDefault(secretKey("Key of the password. A trailing line break is stripped."), "password")
  },
  { description: "Secret with the SASL credentials, and the mechanism. Needed for SASL_PLAINTEXT and SASL_SSL." }
)
