import * as Field from "./Field.ts"
import * as Rule from "./Rule.ts"

/** A name that a topic can have, and that is not one of Kafka's own, or a pattern for such names. */
const target = Field.text({
  description: "Name of the topic to write to. With a * in the key, a * here stands for the same text.",
  maxLength: 249,
  rules: [
    Rule.matches(
      "^([a-zA-Z0-9._-]+[*]?[a-zA-Z0-9._-]*|[*][a-zA-Z0-9._-]*)$",
      "must be a topic name: letters, digits, '.', '_' and '-', and one '*' if the key has one"
    ),
    Rule.rule<string>({
      cel: "self != '.' && self != '..' && !self.startsWith('__')",
      message: "must not be '.', '..' or begin with '__', which are names of Kafka's own topics",
      holds: (self) => self !== "." && self !== ".." && !self.startsWith("__")
    })
  ]
})

const stars = (text: string): number => text.split("*").length - 1

const source = "^[a-zA-Z0-9._*-]{1,249}$"
const sourceRegExp = new RegExp(source, "u")

/** Which topic is written for which. */
export const TopicMappingSpec = Field.map(target, {
  description:
    "From a topic of the backup to the topic to write to. A key with one * is a pattern, such as orders-*: restored-orders-*. A topic that no key fits keeps its name.",
  maxProperties: 1000,
  rules: [
    Rule.rule<{ readonly [source: string]: string }>({
      cel: `self.all(source, source.matches(r'${source}'))`,
      message:
        "must map names of topics of the backup: letters, digits, '.', '_' and '-' in front of the colon, for example orders: orders-restored",
      holds: (self) => Object.keys(self).every((key) => sourceRegExp.test(key))
    }),
    Rule.rule<{ readonly [source: string]: string }>({
      cel: "self.all(key, key.split('*').size() <= 2 && key.contains('*') == self[key].contains('*'))",
      message: "a key has at most one '*', and its value has one exactly if the key has: orders-*: restored-orders-*",
      holds: (self) => Object.entries(self).every(([key, value]) => stars(key) <= 1 && stars(key) === stars(value))
    })
  ]
})
