import * as Field from "./Field.ts"
import { secretKey, secretName } from "./Name.ts"

/** The Secret with user name and password, and the mechanism they are for. */
export const SaslSecret = Field.object(
  {
    name: secretName,
    mechanism: Field.choice(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], {
      description: "SASL mechanism that the brokers expect: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."
    }),
    usernameKey: Field.withDefault(secretKey("Key of the user name. A trailing line break is stripped."), "username"),
    passwordKey: Field.withDefault(secretKey("Key of the password. A trailing line break is stripped."), "password")
  },
  { description: "Secret with the SASL credentials, and the mechanism. Needed for SASL_PLAINTEXT and SASL_SSL." }
)
