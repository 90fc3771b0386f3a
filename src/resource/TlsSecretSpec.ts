import * as Field from "./Field.ts"
import { secretKey, secretName } from "./Name.ts"

/** The Secret with what TLS needs: authorities, client certificate, or both. */
export const TlsSecret = Field.object(
  {
    name: secretName,
    caKey: Field.withDefault(
      secretKey(
        "Key of the PEM file with the certificate authorities to trust; it may hold several certificates. Not read where caSecret is given."
      ),
      "ca.crt"
    ),
    certKey: Field.withDefault(
      secretKey(
        "Key of the PEM client certificate, with its chain. Only used when it, or keyKey, is in the Secret, or caSecret is given. In the Secret of a Strimzi KafkaUser it is user.crt."
      ),
      "tls.crt"
    ),
    keyKey: Field.withDefault(
      secretKey(
        "Key of the unencrypted PEM private key that belongs to certKey. In the Secret of a Strimzi KafkaUser it is user.key."
      ),
      "tls.key"
    )
  },
  {
    description:
      "Secret with TLS material. A Secret that holds only the authorities is enough for TLS without a client certificate; a client certificate needs certificate and key. With caSecret it serves only the client certificate. Without tlsSecret and caSecret the authorities of the system are trusted."
  }
)
