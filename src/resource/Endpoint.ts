import { Option, Schema, SchemaGetter } from "effect"
import * as Field from "./Field.ts"
import * as Ipv6 from "./Ipv6.ts"
import { hostName, port } from "./Name.ts"
import * as Rule from "./Rule.ts"

/** Schemes are the same in capitals, as in every URL. */
const scheme = "(?i:https?)://"
const url = `^${scheme}(${hostName}|\\[[0-9A-Fa-f:.]+\\])(:${port})?(/[A-Za-z0-9._~-]+)*/?$`
const urlRegExp = new RegExp(url, "u")
const schemeRegExp = new RegExp(`^${scheme}`, "u")
const bracketed = `^${scheme}\\[[0-9A-Fa-f:.]+\\]`
const bracketedRegExp = new RegExp(bracketed, "u")

const EndpointText = (description: string) =>
  Field.text({
    description,
    maxLength: 2048,
    rules: [
      Rule.matches(
        `^(${scheme}.*)?$`,
        "must start with http:// or https://, for example https://minio.storage.svc:9000"
      ),
      Rule.rule<string>({
        cel: "!self.contains('@')",
        message: "must not contain a user name or password; credentials go into a Secret",
        holds: (self) => !self.includes("@")
      }),
      Rule.avoids("[?#]", "must not contain a query or fragment; a SAS token or key goes into a Secret"),
      Rule.rule<string>({
        cel: `!self.matches(r'^${scheme}') || self.matches(r'[@?#]') || self.matches(r'${url}')`,
        message:
          "must be scheme://host, with an optional :port from 1 to 65535 and path, for example https://minio.storage.svc:9000",
        holds: (self) => !schemeRegExp.test(self) || /[@?#]/.test(self) || urlRegExp.test(self)
      }),
      Rule.rule<string>({
        cel: `!self.matches(r'${bracketed}') || ${Ipv6.celIsIpv6(Ipv6.celInBrackets)}`,
        message: "the address in brackets must be an IPv6 address, for example http://[fd00::1]:9000",
        holds: (self) => !bracketedRegExp.test(self) || Ipv6.holdsInBrackets(self)
      }),
      Rule.avoids(
        `^${scheme}(169[.]254[.]|(?i:\\[fe80:|\\[::ffff:(169[.]254[.]|a9fe:)|metadata[.]google[.]internal))`,
        "must not be a link-local or metadata address: those belong to the cloud's own services, not to storage"
      )
    ]
  })

/**
 * Another address than the vendor's own. Written as an empty string it is the same as absent, and decodes to absent.
 * The scheme decodes to small letters.
 */
export const endpoint = (description: string) =>
  Schema.optionalKey(EndpointText(description)).pipe(
    Schema.decodeTo(Schema.optionalKey(Schema.String), {
      decode: SchemaGetter.transformOptional((written: Option.Option<string>) =>
        written.pipe(
          Option.filter((text) => text !== ""),
          Option.map((text) => text.replace(schemeRegExp, (found) => found.toLowerCase()))
        )
      ),
      encode: SchemaGetter.passthrough()
    })
  )
