import * as Field from "./Field.ts"
import * as Rule from "./Rule.ts"

/** `exact` is another name of `headerBased`: the offsets of the backup itself, for which no header is needed. */
const strategies = ["headerBased", "exact", "earliest", "latest", "timestamp", "offset"] as const

/** RFC 3339 with a time zone. */
const instant =
  "^[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|[12][0-9]))[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"

/** A list of names and patterns over the groups of something: of the backup, of the cluster, of the snapshot. */
export const consumerGroups = (description: string, of: string) =>
  Field.list(
    Field.text({
      description: `A consumer group, or a pattern over the groups of ${of}: * matches any characters, ? exactly one.`,
      maxLength: 255,
      rules: [
        Rule.rule<string>({
          cel: "self.size() >= 1",
          message: `must name a consumer group; write '*' for every group of ${of}`,
          holds: (self) => self.length >= 1
        })
      ]
    }),
    {
      description,
      maxItems: 1000,
      rules: [
        Rule.rule({
          cel: "self.size() >= 1",
          message: `must name at least one consumer group; write '*' for every group of ${of}`,
          holds: (self) => self.length >= 1
        })
      ]
    }
  )

/** Where a strategy needs a value. */
export const strategyFields = {
  timestamp: Field.optional(
    Field.text({
      description: "Time for strategy timestamp, such as 2026-03-01T01:15:00Z.",
      maxLength: 64,
      rules: [Rule.matches(instant, "must be a time with a time zone, such as 2026-03-01T01:15:00Z")]
    })
  ),
  timestampMillis: Field.optional(
    Field.integer({
      description: "Time for strategy timestamp, in milliseconds since 1970.",
      minimum: 0,
      maximum: 8_640_000_000_000_000
    })
  ),
  offset: Field.optional(
    Field.integer({
      description: "Offset for strategy offset, the same for every partition; at most the end of its log.",
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER
    })
  )
}

interface Fields {
  readonly strategy?: string | undefined
  readonly timestamp?: string | undefined
  readonly timestampMillis?: number | undefined
  readonly offset?: number | undefined
}

/** Each strategy has its own field, and only that. */
export const strategyRules: ReadonlyArray<Rule.Rule<Fields>> = [
  Rule.rule<Fields>({
    cel: "!has(self.strategy) || (self.strategy == 'timestamp' ? has(self.timestamp) != has(self.timestampMillis) : !has(self.timestamp) && !has(self.timestampMillis))",
    message: "strategy timestamp needs one of timestamp and timestampMillis; no other strategy takes them",
    holds: ({ strategy, timestamp, timestampMillis }) =>
      strategy === undefined ||
      (strategy === "timestamp"
        ? (timestamp !== undefined) !== (timestampMillis !== undefined)
        : timestamp === undefined && timestampMillis === undefined)
  }),
  Rule.rule<Fields>({
    cel: "!has(self.strategy) || (self.strategy == 'offset') == has(self.offset)",
    message: "strategy offset needs offset; no other strategy takes it",
    holds: ({ offset, strategy }) => strategy === undefined || (strategy === "offset") === (offset !== undefined)
  })
]

const enabled = (description: string) => Field.optional(Field.flag({ description }))

/** What is done with consumer groups after every record of a restore is proven. */
export const OffsetResetSpec = Field.object(
  {
    enabled: enabled("Whether offsets of consumer groups are set after the records are restored and proven."),
    strategy: Field.optional(
      Field.choice(strategies, {
        description:
          "Offsets that the groups get. headerBased, or exact: those of the backup, so that a group resumes at its next record. earliest, latest: start or end of the log. timestamp: the first record of that time or later. offset: that offset."
      })
    ),
    consumerGroups: Field.optional(
      consumerGroups("Groups whose offsets are set: names, and patterns over the groups of the backup.", "the backup")
    ),
    ...strategyFields,
    sourceCluster: Field.optional(
      Field.text({
        description: "Name of the cluster that was backed up. A backup of another cluster is refused.",
        maxLength: 253
      })
    )
  },
  {
    description: "Sets the offsets of consumer groups after the records are restored and proven.",
    rules: [
      Rule.required("enabled", "is required: true sets offsets of consumer groups, false leaves them as they are"),
      Rule.rule({
        cel: "!has(self.enabled) || !self.enabled || has(self.strategy)",
        message:
          "is required: headerBased continues each group at its next record; others are earliest, latest, timestamp and offset",
        reason: "FieldValueRequired",
        fieldPath: ".strategy",
        holds: ({ enabled, strategy }) => enabled !== true || strategy !== undefined
      }),
      Rule.rule({
        cel: "!has(self.enabled) || !self.enabled || has(self.consumerGroups)",
        message: "is required: name the consumer groups, or write '*' for every group of the backup",
        reason: "FieldValueRequired",
        fieldPath: ".consumerGroups",
        holds: ({ consumerGroups, enabled }) => enabled !== true || consumerGroups !== undefined
      }),
      ...strategyRules
    ]
  }
)
export type OffsetResetSpec = typeof OffsetResetSpec.Type

/** The name of a snapshot is part of an object's key. */
export const SnapshotId = Field.text({
  description: "Name of the snapshot in storage.",
  maxLength: 253,
  rules: [
    Rule.matches(
      "^[a-zA-Z0-9]([-a-zA-Z0-9._]*[a-zA-Z0-9])?$",
      "must be a name of letters, digits, '.', '_' and '-' that begins and ends with a letter or digit"
    )
  ]
})

/** Offsets that are kept before a restore changes anything. */
export const RollbackSpec = Field.object(
  {
    enabled: enabled("Whether the offsets that the groups have in the target are stored before anything is written."),
    snapshotId: Field.optional(SnapshotId)
  },
  {
    description:
      "Stores the offsets that the consumer groups have in the target before anything is written. Needs permission to write to storage.",
    rules: [Rule.required("enabled", "is required: true stores the offsets before the restore, false does not")]
  }
)
export type RollbackSpec = typeof RollbackSpec.Type
