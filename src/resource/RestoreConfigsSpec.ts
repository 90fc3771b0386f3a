import * as Field from "./Field.ts"
import * as Rule from "./Rule.ts"

/** Which configuration restored topics get. */

export const Configs = Field.choice(["FromBackup", "BrokerDefaults"], {
  description:
    "Configuration of restored topics: FromBackup gives them that of the source, BrokerDefaults none of their own."
})

const value = Field.text({ description: "Value of the configuration.", maxLength: 4096 })

const ofTopics = Field.map(value, {
  description: "Topic configurations by name, such as retention.ms.",
  maxProperties: 50,
  rules: [
    Rule.rule<{ readonly [name: string]: string }>({
      cel: "self.all(name, name.matches(r'^[a-z][a-z0-9.]*$'))",
      message: "must have names of topic configurations as keys, such as retention.ms",
      holds: (self) => Object.keys(self).every((name) => /^[a-z][a-z0-9.]*$/.test(name))
    })
  ]
})

const pattern = "^[a-zA-Z0-9._*?-]+$"

export const ConfigOverrides = Field.map(ofTopics, {
  description:
    "Configuration that restored topics get instead: from a topic of the backup, or a wildcard pattern, to names and values. A name comes before patterns, and a long pattern before a short one.",
  maxProperties: 100,
  rules: [
    Rule.rule<{ readonly [name: string]: object }>({
      cel: `self.all(topic, topic.matches(r'${pattern}'))`,
      message:
        "must have topic names or wildcard patterns as keys: letters, digits, '.', '_', '-', and the wildcards '*' and '?'",
      holds: (self) => Object.keys(self).every((name) => new RegExp(pattern).test(name))
    })
  ]
})
