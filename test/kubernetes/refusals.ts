import type * as Definition from "../../src/resource/Definition.ts"
import type { StructuralSchema } from "../../src/resource/StructuralSchema.ts"

/** How an API server refuses what a definition does not allow: by the definition's rules, or in its own words. */

/** The messages of all rules of a definition. */
export const ruleMessages = (crd: ReturnType<typeof Definition.make>): ReadonlySet<string> => {
  const { properties, "x-kubernetes-validations": rules } = crd.spec.versions[0]!.schema.openAPIV3Schema
  const found = new Set(rules.map(({ message }) => message))
  const collect = (node: StructuralSchema): void => {
    for (const { message } of node["x-kubernetes-validations"] ?? []) found.add(message)
    for (const child of Object.values(node.properties ?? {})) collect(child)
    if (node.items) collect(node.items)
    if (node.additionalProperties) collect(node.additionalProperties)
  }
  collect(properties.spec)
  return found
}

/** How the API server says by itself what we say in the words on the left. */
const words: ReadonlyArray<readonly [ours: RegExp, theirs: RegExp]> = [
  [/^is not a field here/, /unknown field/],
  [/^is required/, /Required value/],
  [/^must have at most \d+ characters/, /Too long: may not be more than \d+/],
  [/^must have at most \d+ entries/, /Too many: \d+: must have at most \d+ items/],
  [/^must be from -?\d+ to \d+|^must be \d+ or (more|less)/, /should be (greater|less) than or equal to/],
  // Of a block where a list belongs, it names the first field.
  [/^must be a list.* not a block/, /unknown field/],
  [
    /^must be (text|a whole number|a list|a block|true or false)|^is empty/,
    /must be of type|Invalid value|cannot unmarshal/
  ],
  [/^must be a duration/, /must be of type string/],
  [/^must be .+ or /, /Unsupported value: .* supported values/]
]

/** What the API server must say where the project's own check says `ownWords`. */
export const serversWords = (ownWords: string): RegExp =>
  words.find(([ours]) => ours.test(ownWords))?.[1] ?? /Invalid value/

/**
 * Our path as the API server writes it where it speaks for itself: keys of maps after a dot, and without the index at
 * the end. Its rules have keys in brackets, as we do.
 */
export const serversPath = (field: string): string =>
  field.replaceAll(/\[([^\]\d][^\]]*)\]/g, ".$1").replace(/\[\d+\]$/, "")
