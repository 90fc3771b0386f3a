import * as Field from "./Field.ts"
import { hostName, port, secretKey, secretName } from "./Name.ts"
import * as Rule from "./Rule.ts"

const path = "(/[A-Za-z0-9._~%:!$&()*+,;=-]*)*"
const parameters = "([?][A-Za-z0-9._~%:!$&()*+,;=/-]*)?"

const TokenEndpoint = Field.text({
  description:
    "Address of the token endpoint, for example https://sso.example.com/realms/kafka/protocol/openid-connect/token. Always https: the client's secret is sent there.",
  maxLength: 2048,
  rules: [
    Rule.avoids("^(?i:http)://", "must start with https://: the client's secret is sent there"),
    Rule.matchesUnless(
      "^(?i:http)://",
      `^https://(${hostName}|\\[[0-9A-Fa-f:.]+\\])(:${port})?${path}${parameters}$`,
      "must be https://host, with an optional :port and path, for example https://sso.example.com/oauth2/token; user and password go into clientSecret"
    )
  ]
})

/** The key of the client's id where none is given. */
const clientIdKey = "clientId"

const ClientSecret = Field.object(
  {
    name: secretName,
    clientIdKey: Field.withDefault(
      secretKey("Key of the client's id. A trailing line break is stripped. Not read where clientId is set."),
      clientIdKey
    ),
    clientSecretKey: Field.withDefault(
      secretKey("Key of the client's secret. A trailing line break is stripped."),
      "clientSecret"
    )
  },
  { description: "Secret with the client's id and secret." }
)

const EndpointCaSecret = Field.object(
  {
    name: secretName,
    caKey: Field.withDefault(
      secretKey("Key of the PEM file with the certificate authorities; it may hold several certificates."),
      "ca.crt"
    )
  },
  {
    description:
      "Secret with the private certificate authorities of the token endpoint. They are trusted for it in addition to the public ones and the system's."
  }
)

const visible = (description: string, maxLength: number) =>
  Field.text({
    description,
    maxLength,
    rules: [Rule.matches("^[ -~]+$", "must be printable ASCII, and not empty: leave the field out instead")]
  })

/** A client of an OAuth 2 server, which gets tokens for itself. */
export const ClientCredentialsSpec = Field.object(
  {
    tokenEndpoint: TokenEndpoint,
    clientSecret: ClientSecret,
    clientId: Field.optional(visible("Id of the client, where it is not in the Secret.", 512)),
    sendIn: Field.withDefault(
      Field.choice(["Header", "Body"], {
        description:
          "Where the client's id and secret are sent: Header (HTTP Basic, which every server has to accept) or Body (among the parameters of the request), for servers that want them there."
      }),
      "Header"
    ),
    scope: Field.optional(
      visible(
        "Scopes to ask for, separated by blanks. Absent: the server gives those that are the client's default.",
        2048
      )
    ),
    audience: Field.optional(
      visible("Audience to ask for, a parameter that some servers need, for example Auth0. Absent: none is sent.", 1024)
    ),
    caSecret: Field.optional(EndpointCaSecret)
  },
  {
    description:
      "Get tokens from an OAuth 2 server with the client credentials grant (RFC 6749, section 4.4). They are renewed before they end.",
    rules: [
      Rule.rule({
        cel: `!has(self.clientId) || self.clientSecret.clientIdKey == '${clientIdKey}'`,
        message:
          "clientSecret.clientIdKey has no effect beside clientId, which is the client's id itself: remove one of the two",
        reason: "FieldValueForbidden",
        fieldPath: ".clientId",
        holds: (self) => self.clientId === undefined || self.clientSecret.clientIdKey === clientIdKey
      })
    ]
  }
)
export type ClientCredentialsSpec = typeof ClientCredentialsSpec.Type
