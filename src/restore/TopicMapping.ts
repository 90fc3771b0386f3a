import type { Objection } from "./Objection.ts"

/**
 * From topics of the backup to those that are written. A key with one `*` stands for every name that fits; the `*` of
 * its value is replaced by what the first one stood for. Pure.
 */
export type TopicMapping = ReadonlyMap<string, string>

export type Mapped =
  | { readonly _tag: "Target"; readonly target: string }
  /** Two patterns fit equally well. */
  | { readonly _tag: "Ambiguous"; readonly keys: readonly [string, string] }

/** What `*` stands for in `name`; undefined if the pattern does not fit, or is none. */
const starOf = (pattern: string, name: string): string | undefined => {
  const at = pattern.indexOf("*")
  if (at < 0) return undefined
  const [front, back] = [pattern.slice(0, at), pattern.slice(at + 1)]
  const fits = name.length >= front.length + back.length && name.startsWith(front) && name.endsWith(back)
  return fits ? name.slice(front.length, name.length - back.length) : undefined
}

/** True if the key stands for this topic, whether or not another key is closer. */
export const fits = (key: string, name: string): boolean => key === name || starOf(key, name) !== undefined

/** The topic to write to. A name wins over patterns, and the longest pattern over others. */
export const target = (mapping: TopicMapping, name: string): Mapped => {
  const literal = mapping.get(name)
  if (literal !== undefined) return { _tag: "Target", target: literal }
  const found = [...mapping.keys()].filter((key) => fits(key, name)).toSorted((a, b) => b.length - a.length)
  const [first, second] = found
  if (first === undefined) return { _tag: "Target", target: name }
  if (second?.length === first.length) return { _tag: "Ambiguous", keys: [first, second] }
  // A function: `$&` in a topic's name would mean something else.
  return { _tag: "Target", target: mapping.get(first)!.replace("*", () => starOf(first, name)!) }
}

/** Most characters of a topic's name. Source: Kafka, `org.apache.kafka.common.internals.Topic`. */
const longestName = 249

/** What stands against writing `source` to that topic, by its name alone. */
export const objections = (source: string, mapped: Mapped): ReadonlyArray<Objection> => {
  if (mapped._tag === "Ambiguous") {
    const [a, b] = mapped.keys
    return [
      {
        reason: "MappingAmbiguous",
        message: `topicMapping has two patterns for ${source}: ${a} and ${b}`,
        advice: `add the key ${source} to topicMapping`
      }
    ]
  }
  const name = mapped.target
  const problem =
    name.length > longestName
      ? `has ${name.length} characters, and Kafka allows ${longestName}`
      : name.startsWith("__") && name !== source
        ? "begins with '__', as the names of Kafka's own topics do"
        : name === "." || name === ".." || name === ""
          ? "is not a name for a topic"
          : undefined
  return problem === undefined
    ? []
    : [
        {
          reason: "TargetNameInvalid",
          message: `topicMapping gives ${source} the name "${name}", which ${problem}`,
          advice: `choose another name for ${source} in topicMapping`
        }
      ]
}

/** Keys that stand for no topic that is restored. */
export const unused = (mapping: TopicMapping, restored: ReadonlyArray<string>): ReadonlyArray<Objection> =>
  [...mapping.keys()]
    .filter((key) => !restored.some((name) => fits(key, name)))
    .map((key) => ({
      reason: "MappingUnused",
      message: key.includes("*")
        ? `topicMapping has the pattern ${key}, which fits no topic that is restored`
        : `topicMapping names ${key}, which is not restored`,
      advice: `remove ${key} from topicMapping, or add ${key.includes("*") ? "such topics" : key} to topics`
    }))
