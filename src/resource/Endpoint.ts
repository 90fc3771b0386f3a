import { Option, Schema, SchemaGetter } from "effect"
import * as Field from "./Field.ts"
import { port } from "./Name.ts"
import * as Rule from "./Rule.ts"

const url = `^https?://([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?|\\[[0-9A-Fa-f:.]+\\])(:${port})?(/[A-Za-z0-9._~-]+)*/?$`
const urlRegExp = new RegExp(url, "u")

const EndpointText = (description: string) =>
  Field.text({
    description,
    maxLength: 2048,
    rules: [
      Rule.matches(
        "^(https?://.*)?$",
        "must start with http:// or https://, for example https://minio.storage.svc:9000"
      ),
      Rule.rule<string>({
        cel: "!self.contains('@')",
        message: "must not contain a user name or password; credentials go into a Secret",
        holds: (self) => !self.includes("@")
      }),
      Rule.avoids("[?#]", "must not contain a query or fragment; a SAS token or key goes into a Secret"),
      Rule.rule<string>({
        cel: `!self.matches(r'^https?://') || self.matches(r'[@?#]') || self.matches(r'${url}')`,
        message:
          "must be scheme://host, with an optional :port from 1 to 65535 and path, for example https://minio.storage.svc:9000",
        holds: (self) => !/^https?:\/\//.test(self) || /[@?#]/.test(self) || urlRegExp.test(self)
      }),
      Rule.avoids(
        "^https?://(169[.]254[.]|(?i:\\[fe80:)|(?i:metadata[.]google[.]internal))",
        "must not be a link-local or metadata address: those belong to the cloud's own services, not to storage"
      )
    ]
  })

/**
 * Another address than the vendor's own. Written as an empty string it is the same as absent, and decodes to absent.
 */
export const endpoint = (description: string) =>
  Schema.optionalKey(EndpointText(description)).pipe(
    Schema.decodeTo(Schema.optionalKey(Schema.String), {
      decode: SchemaGetter.transformOptional(Option.filter((text: string) => text !== "")),
      encode: SchemaGetter.passthrough()
    })
  )
