import { isIP } from "node:net"
import * as Field from "./Field.ts"
import * as Ipv6 from "./Ipv6.ts"
import { subdomain } from "./Name.ts"
import * as Rule from "./Rule.ts"

/*
 * What the pod of a backup may need to reach its storage from inside a company's network. Only names that do no more
 * than that are taken: others, such as NODE_OPTIONS, would run foreign code in the pod.
 */

/** Proxies, and settings of the libraries for AWS, Azure and Google Cloud. */
const allowedVariable = "^((HTTPS?|NO)_PROXY|(https?|no)_proxy|NODE_EXTRA_CA_CERTS|(AWS|AZURE|GOOGLE)_[A-Z0-9_]+)$"

/** Names of the same libraries that hold a secret. */
const secretVariable = "^(AWS|AZURE|GOOGLE)_.*(ACCESS_KEY|SECRET|PASSWORD|TOKEN$|STORAGE_KEY)"

const Variable = Field.object(
  {
    name: Field.text({
      description:
        "HTTPS_PROXY, HTTP_PROXY, NO_PROXY, NODE_EXTRA_CA_CERTS, or a name that begins with AWS_, AZURE_ or GOOGLE_.",
      maxLength: 128,
      rules: [
        Rule.matches(
          allowedVariable,
          "must be HTTPS_PROXY, HTTP_PROXY, NO_PROXY, NODE_EXTRA_CA_CERTS, or a name that begins with AWS_, AZURE_ or GOOGLE_: other variables are not passed on"
        ),
        Rule.avoids(secretVariable, "must not be the name of a credential: credentials go into a Secret")
      ]
    }),
    value: Field.text({
      description: "Its value, as written: $(NAME) is not expanded. Everyone who may read pods sees it.",
      maxLength: 2048,
      rules: [
        Rule.avoids("[\\x00-\\x1f\\x7f]", "must not contain control characters or line breaks"),
        Rule.avoids(
          "://[^/]*@",
          "must not contain a user name or password: everyone who may read pods would see it; use a proxy that needs none"
        )
      ]
    })
  },
  { description: "One environment variable." }
)

export const Variables = Field.list(Variable, {
  description:
    "Environment variables of the pod, for a proxy (HTTPS_PROXY, HTTP_PROXY, NO_PROXY) and for the cloud libraries (AWS_…, AZURE_…, GOOGLE_…).",
  maxItems: 32,
  rules: [
    Rule.rule({
      cel: "self.all(variable, self.exists_one(other, other.name == variable.name))",
      message: "must not name a variable twice: remove the second entry",
      holds: (self) => new Set(self.map(({ name }) => name)).size === self.length
    })
  ]
})

const address = Ipv6.celShape("self")

const HostAlias = Field.object(
  {
    ip: Field.text({
      description: "IPv4 or IPv6 address.",
      maxLength: 45,
      rules: [
        Rule.rule<string>({
          cel: `isIP(${address})`,
          message: "must be an IP address, for example 10.0.0.1",
          holds: (self) => isIP(self) !== 0 && !self.includes("%")
        })
      ]
    }),
    hostnames: Field.list(
      Field.text({
        description: "A host name.",
        maxLength: 253,
        rules: [Rule.matches(subdomain, "must be a host name: lower case letters, digits, '-' and '.'")]
      }),
      { description: "Names for the address.", minItems: 1, maxItems: 16 }
    )
  },
  { description: "One address and its names, as in a Pod." }
)

export const HostAliases = Field.list(HostAlias, {
  description: "Lines for the pod's hosts file, for names of brokers or storage that DNS does not know.",
  maxItems: 32
})
