import { Schema } from "effect"
import * as Field from "./Field.ts"
import * as Quantity from "./Quantity.ts"
import * as Rule from "./Rule.ts"

const nonNegative = Rule.rule<string | number>({
  cel: "type(self) == int ? self >= 0 && self <= 9007199254740991 : (isQuantity(self) && sign(quantity(self)) >= 0)",
  message: "must be a quantity that is not negative, for example 500m, 2, 512Mi or 2Gi",
  holds: (self) => {
    const order = Quantity.compare(String(self), "0")
    return order !== undefined && order >= 0
  }
})

/** A number or text such as 2, 500m or 512Mi. A fraction must be quoted: the API server takes no bare 0.5 here. */
const ResourceQuantity = Schema.Union([Schema.Int, Schema.String])
  .annotate({
    description: 'A quantity such as 500m, 2 or 512Mi. Quote fractions: "0.5".',
    "x-kubernetes-int-or-string": true,
    [Rule.annotationKey]: [nonNegative]
  })
  .check(Rule.toCheck(nonNegative))

const known =
  "^(cpu|memory|ephemeral-storage|hugepages-[1-9][0-9]*[KMGT]i|[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)$"
const knownName = new RegExp(known)

const amounts = (description: string) =>
  Field.map(ResourceQuantity, {
    description,
    // Every value of this kind counts as three megabytes in the API server's cost estimate: eight is what fits.
    maxProperties: 8,
    rules: [
      Rule.rule({
        cel: `self.all(k, k.matches(r'${known}'))`,
        message: "resource names are cpu, memory, ephemeral-storage, hugepages-2Mi or vendor.example/device",
        holds: (self) => Object.keys(self).every((name) => knownName.test(name))
      })
    ]
  })

interface Resources {
  readonly requests?: { readonly [name: string]: string | number }
  readonly limits?: { readonly [name: string]: string | number }
}

const withinLimit = (name: "cpu" | "memory" | "ephemeral-storage") => {
  const requested = `string(self.requests['${name}'])`
  const limit = `string(self.limits['${name}'])`
  return Rule.rule<Resources>({
    cel:
      `!has(self.requests) || !has(self.limits) || !('${name}' in self.requests) || !('${name}' in self.limits)` +
      ` || !isQuantity(${requested}) || !isQuantity(${limit}) || quantity(${requested}).compareTo(quantity(${limit})) <= 0`,
    message: `requests.${name} must not exceed limits.${name}: raise the limit or lower the request`,
    fieldPath: ".requests",
    holds: ({ limits, requests }) => {
      const asked = requests?.[name]
      const allowed = limits?.[name]
      if (asked === undefined || allowed === undefined) return true
      return Quantity.compare(String(asked), String(allowed)) !== 1
    }
  })
}

export const ResourcesSpec = Field.object(
  {
    requests: Field.optional(amounts("What the container is guaranteed, by resource name.")),
    limits: Field.optional(
      amounts("What the container may use at most, by resource name. Buffers are sized from limits.memory.")
    )
  },
  {
    description: "Resources of the container that runs the backup, as in a Pod.",
    rules: [withinLimit("cpu"), withinLimit("memory"), withinLimit("ephemeral-storage")]
  }
)
export type ResourcesSpec = typeof ResourcesSpec.Type
