import type { Schema } from "effect"
import * as Field from "./Field.ts"
import { KafkaClusterSpec } from "./KafkaClusterSpec.ts"
import { ofPod, parallelism, topics } from "./OffsetFields.ts"
import { consumerGroups, SnapshotId, strategyFields, strategyRules } from "./OffsetResetSpec.ts"
import * as Rule from "./Rule.ts"
import { StorageSpec } from "./StorageSpec.ts"

const strategies = ["earliest", "latest", "timestamp", "offset"] as const
const ofBackups = ["headerBased", "exact"]
const ofFiles = "fromMapping"
const words = (all: ReadonlyArray<string>): string => `[${all.map((word) => `'${word}'`).join(", ")}]`

/**
 * A text with rules instead of an enumeration: of that the API server checks nothing more, and names no way out to
 * those who know the other strategies from elsewhere.
 */
const Strategy = Field.text({
  description:
    "Offsets that the groups get. earliest, latest: start or end of the log. timestamp: the first record of that time or later. offset: that offset.",
  maxLength: 64,
  rules: [
    Rule.rule<string>({
      cel: `self in ${words([...strategies, ...ofBackups, ofFiles])}`,
      message: `must be one of ${strategies.join(", ")}`,
      holds: (self) => [...strategies, ...ofBackups, ofFiles].includes(self)
    }),
    Rule.rule<string>({
      cel: `!(self in ${words(ofBackups)})`,
      message:
        "needs a backup, and this resource names none: write the strategy into spec.offsetReset of a KafkaRestore, or choose one of earliest, latest, timestamp, offset",
      holds: (self) => !ofBackups.includes(self)
    }),
    Rule.rule<string>({
      cel: `self != '${ofFiles}'`,
      message:
        "is not supported: use strategy offset with topics, or kafka-consumer-groups --reset-offsets --from-file, which takes an offset for each partition",
      holds: (self) => self !== ofFiles
    })
  ]
}) as unknown as Schema.Literals<typeof strategies>

/** Gives groups other offsets. */
export const KafkaOffsetResetSpec = Field.object(
  {
    kafkaCluster: Field.described(KafkaClusterSpec, "The Kafka cluster of the groups, and how to connect to it."),
    strategy: Strategy,
    consumerGroups: consumerGroups("Groups whose offsets are set.", "the cluster"),
    topics,
    ...strategyFields,
    dryRun: Field.withDefault(
      Field.flag({
        description:
          "Check everything, and change nothing. Set it to false afterwards, and the same resource becomes the reset."
      }),
      false
    ),
    createSnapshot: Field.withDefault(
      Field.flag({ description: "Store the present offsets before they are changed. Needs storage." }),
      false
    ),
    snapshotId: Field.optional(SnapshotId),
    storage: Field.optional(Field.described(StorageSpec, "Where the snapshot of the present offsets is stored.")),
    parallelism,
    ...ofPod
  },
  {
    description: "Which consumer groups get which offsets.",
    rules: [
      Rule.required(
        "kafkaCluster",
        "a reset needs kafkaCluster with bootstrapServers, for example kafka-0.kafka.svc:9092"
      ),
      Rule.required("strategy", "is required: earliest, latest, timestamp or offset"),
      Rule.required(
        "consumerGroups",
        "is required: name the consumer groups, or write '*' for every group of the cluster"
      ),
      ...strategyRules,
      Rule.rule({
        cel: "!self.createSnapshot || has(self.storage)",
        message: "is required with createSnapshot: say where the snapshot is stored",
        reason: "FieldValueRequired",
        fieldPath: ".storage",
        holds: ({ createSnapshot, storage }) => !createSnapshot || storage !== undefined
      })
    ]
  }
)
export type KafkaOffsetResetSpec = typeof KafkaOffsetResetSpec.Type
