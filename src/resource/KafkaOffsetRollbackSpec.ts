import * as Field from "./Field.ts"
import { KafkaClusterSpec } from "./KafkaClusterSpec.ts"
import { ofPod, parallelism, topics } from "./OffsetFields.ts"
import { consumerGroups, SnapshotId } from "./OffsetResetSpec.ts"
import * as Rule from "./Rule.ts"
import { StorageSpec } from "./StorageSpec.ts"

const VerifySpec = Field.object(
  {
    strict: Field.withDefault(
      Field.flag({ description: "Whether a difference is a failure. false only reports it." }),
      true
    )
  },
  { description: "How operation verify judges differences." }
)

/** Stores offsets of groups, brings stored ones back, compares with them, or deletes them. */
export const KafkaOffsetRollbackSpec = Field.object(
  {
    kafkaCluster: Field.optional(
      Field.described(
        KafkaClusterSpec,
        "The Kafka cluster of the groups, and how to connect to it. Not needed for operation delete."
      )
    ),
    operation: Field.withDefault(
      Field.choice(["snapshot", "rollback", "verify", "delete"], {
        description:
          "snapshot stores the present offsets. rollback sets the stored ones. verify compares the stored ones with the present ones. delete removes the stored ones."
      }),
      "rollback"
    ),
    snapshotId: SnapshotId,
    consumerGroups: Field.optional(
      consumerGroups("Groups that are meant. Absent: all of the snapshot.", "the snapshot, or of the cluster")
    ),
    topics,
    storage: Field.optional(
      Field.described(
        StorageSpec,
        "Where the snapshot is stored. Absent: where the KafkaRestore or KafkaOffsetReset of this namespace put it whose status names the snapshot."
      )
    ),
    verify: Field.optional(VerifySpec),
    parallelism,
    ...ofPod
  },
  {
    description: "Which snapshot of offsets, where it is stored, and what to do with it.",
    rules: [
      Rule.required("snapshotId", "is required: the name of the snapshot"),
      Rule.rule({
        cel: "self.operation == 'delete' || has(self.kafkaCluster)",
        message: "is required: write bootstrapServers, for example kafka-0.kafka.svc:9092",
        reason: "FieldValueRequired",
        fieldPath: ".kafkaCluster",
        holds: ({ kafkaCluster, operation }) => operation === "delete" || kafkaCluster !== undefined
      }),
      Rule.rule({
        cel: "self.operation != 'snapshot' || has(self.storage)",
        message: "is required with operation snapshot: say where the snapshot is stored",
        reason: "FieldValueRequired",
        fieldPath: ".storage",
        holds: ({ operation, storage }) => operation !== "snapshot" || storage !== undefined
      }),
      Rule.rule({
        cel: "self.operation != 'snapshot' || has(self.consumerGroups)",
        message: "is required with operation snapshot: name the consumer groups, or write '*' for all",
        reason: "FieldValueRequired",
        fieldPath: ".consumerGroups",
        holds: ({ consumerGroups: groups, operation }) => operation !== "snapshot" || groups !== undefined
      }),
      Rule.rule({
        cel: "self.operation != 'delete' || (!has(self.consumerGroups) && !has(self.topics))",
        message: "operation delete removes the whole snapshot: remove consumerGroups and topics",
        reason: "FieldValueForbidden",
        holds: ({ consumerGroups: groups, operation, topics: some }) =>
          operation !== "delete" || (groups === undefined && some === undefined)
      }),
      Rule.rule({
        cel: "self.operation == 'verify' || !has(self.verify)",
        message: "is for operation verify only: remove it",
        reason: "FieldValueForbidden",
        fieldPath: ".verify",
        holds: ({ operation, verify }) => operation === "verify" || verify === undefined
      })
    ]
  }
)
export type KafkaOffsetRollbackSpec = typeof KafkaOffsetRollbackSpec.Type
