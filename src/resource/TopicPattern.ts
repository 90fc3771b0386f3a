import * as Field from "./Field.ts"
import * as Rule from "./Rule.ts"

/**
 * A topic's name, or a pattern over names. 249 is Kafka's own limit for a topic name, and so is the alphabet
 * (`org.apache.kafka.common.internals.Topic`).
 */
export const TopicPattern = Field.text({
  description: "A topic name or a pattern: * matches any characters, ? matches exactly one. Not a regular expression.",
  maxLength: 249,
  rules: [
    Rule.matches(
      "^[a-zA-Z0-9._*?-]+$",
      "must be a topic name or wildcard pattern: letters, digits, '.', '_', '-', and the wildcards '*' and '?'"
    ),
    Rule.rule<string>({
      cel: "self != '.' && self != '..'",
      message: "Kafka has no topics named '.' or '..'; write '*' for every topic",
      holds: (self) => self !== "." && self !== ".."
    })
  ]
})

/**
 * Upper bound on the entries of `topics` and `excludeTopics`; ten thousand checked names stay inside the admission
 * budget.
 */
export const maxPatterns = 10_000
