import * as Field from "./Field.ts"
import * as Rule from "./Rule.ts"

export const IncrementalSpec = Field.object(
  {
    enabled: Field.withDefault(
      Field.flag({
        description:
          "Build each backup on the newest earlier one: read and store only what is new, and take over the rest, where Kafka's log is proven to be the same. Each backup is restored by itself all the same. A trigger whose value begins with full- reads everything."
      }),
      true
    ),
    fullEvery: Field.optional(
      Field.integer({
        description: "Read every so many backups in full: 24 reads one of 24. Absent: none for its number.",
        maximum: 1_000_000,
        rules: [Rule.atLeast(2, "must be 2 or more; enabled: false reads every backup in full")]
      })
    )
  },
  {
    description: "Whether backups build on earlier ones.",
    rules: [
      Rule.rule({
        cel: "!has(self.fullEvery) || self.enabled",
        message: "fullEvery does nothing with enabled: false, which reads every backup in full; remove one of the two",
        fieldPath: ".fullEvery",
        holds: (self) => self.fullEvery === undefined || self.enabled
      })
    ]
  }
)
export type IncrementalSpec = typeof IncrementalSpec.Type
