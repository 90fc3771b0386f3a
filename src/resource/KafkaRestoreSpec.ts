import { BackupRefSpec, namesOneBackup } from "./BackupRefSpec.ts"
import { RestoredAcls, RestoredQuotas } from "./ClusterMetadataSpec.ts"
import { ConfirmRecreate, ExistingTopics, existingTopicsRules } from "./ExistingTopicsSpec.ts"
import * as Field from "./Field.ts"
import { KafkaClusterSpec } from "./KafkaClusterSpec.ts"
import { needsNewOffsets, PartitionsSpec } from "./PartitionsSpec.ts"
import { PitrSpec } from "./PitrSpec.ts"
import { OffsetResetSpec, RollbackSpec } from "./OffsetResetSpec.ts"
import { PodTemplateSpec } from "./PodTemplateSpec.ts"
import { ResourcesSpec } from "./ResourcesSpec.ts"
import { RestoreJobSpec } from "./RestoreJobSpec.ts"
import { CircuitBreakerSpec } from "./LimitsSpec.ts"
import { ConfigOverrides, Configs } from "./RestoreConfigsSpec.ts"
import { ExactSpec, OnFailure, RestoreCompression, RestoreRateLimitSpec } from "./RestoreTuningSpec.ts"
import { RetentionHold } from "./RetentionHoldSpec.ts"
import * as Rule from "./Rule.ts"
import { SourcePartitionsSpec } from "./SourcePartitionsSpec.ts"
import { StorageSpec } from "./StorageSpec.ts"
import { TopicMappingSpec } from "./TopicMappingSpec.ts"
import { maxPatterns, TopicPattern } from "./TopicPattern.ts"

/** What the user wants back. The one description of every field: text, bounds, defaults and rules. */
export const KafkaRestoreSpec = Field.object(
  {
    backupId: Field.optional(
      Field.text({
        description: "Id of the backup to restore, as kafka-backup list shows it.",
        maxLength: 253,
        rules: [
          Rule.matches(
            "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
            "must be the id of one backup, such as shop-20260301-020000; the path to it goes into prefix or subPath of the storage"
          )
        ]
      })
    ),
    backupRef: Field.optional(BackupRefSpec),
    targetCluster: Field.described(
      KafkaClusterSpec,
      "The Kafka cluster to restore into, and how to connect to it. It may be another one than that of the backup."
    ),
    storage: Field.optional(
      Field.described(
        StorageSpec,
        "Where the backup is kept. Permission to read is enough, unless rollback is enabled. Absent: as the KafkaBackup of backupRef says."
      )
    ),
    topics: Field.withDefault(
      Field.list(TopicPattern, {
        description: "Topics of the backup to restore: names and wildcard patterns. Absent: all.",
        maxItems: maxPatterns,
        rules: [
          Rule.rule({
            cel: "self.size() >= 1",
            message: "must name at least one topic or pattern; remove it to restore all topics",
            holds: (self) => self.length >= 1
          })
        ]
      }),
      ["*"]
    ),
    excludeTopics: Field.withDefault(
      Field.list(TopicPattern, {
        description: "Topics to leave out: names and wildcard patterns. Takes precedence over topics.",
        maxItems: maxPatterns
      }),
      []
    ),
    topicMapping: Field.optional(TopicMappingSpec),
    partitions: Field.optional(PartitionsSpec),
    sourcePartitions: Field.optional(SourcePartitionsSpec),
    pitr: Field.optional(PitrSpec),
    includeOriginalOffsetHeader: Field.withDefault(
      Field.flag({
        description:
          "Add the headers x-original-offset, x-original-timestamp and x-source-partition to every record that has none of that name."
      }),
      false
    ),
    createTopics: Field.withDefault(
      Field.flag({
        description: "Create topics that do not exist, with the partitions and configuration of the backup."
      }),
      true
    ),
    defaultReplicationFactor: Field.optional(
      Field.integer({
        description: "Replication factor of created topics; -1 is the broker's default. Absent: that of the source.",
        minimum: -1,
        maximum: 32767,
        rules: [
          Rule.rule<number>({
            cel: "self != 0",
            message: "must be 1 or more, or -1 for the broker's default",
            holds: (self) => self !== 0
          })
        ]
      })
    ),
    offsets: Field.withDefault(
      Field.choice(["Auto", "Exact", "New"], {
        description:
          "Offsets of restored records. Exact: their old ones, or the restore is refused. Auto: the old ones where that is possible. New: consecutive ones from 0 on."
      }),
      "Auto"
    ),
    existingTopics: Field.withDefault(ExistingTopics, "Fail"),
    confirmRecreate: Field.optional(ConfirmRecreate),
    gaps: Field.withDefault(
      Field.choice(["Fail", "Accept"], {
        description:
          "What to do with a backup that lists offsets which it could not read: Fail refuses it, Accept restores it without them."
      }),
      "Fail"
    ),
    onFailure: Field.withDefault(OnFailure, "Keep"),
    retentionHold: Field.withDefault(RetentionHold, "24h"),
    exact: Field.withDefault(ExactSpec, {}),
    compression: Field.optional(RestoreCompression),
    configs: Field.withDefault(Configs, "FromBackup"),
    configOverrides: Field.optional(ConfigOverrides),
    acls: Field.withDefault(RestoredAcls, "None"),
    quotas: Field.withDefault(RestoredQuotas, "None"),
    rateLimit: Field.optional(RestoreRateLimitSpec),
    circuitBreaker: Field.withDefault(CircuitBreakerSpec, {}),
    dryRun: Field.withDefault(
      Field.flag({
        description:
          "Check everything, and write nothing. Set it to false afterwards, and the same resource becomes the restore."
      }),
      false
    ),
    resources: Field.optional(
      Field.described(ResourcesSpec, "Resources of the container that runs the restore, as in a Pod.")
    ),
    job: Field.withDefault(RestoreJobSpec, {}),
    podTemplate: Field.optional(Field.described(PodTemplateSpec, "The pod that runs the restore.")),
    offsetReset: Field.optional(OffsetResetSpec),
    rollback: Field.optional(RollbackSpec)
  },
  {
    description: "Which backup to restore, from where, and into which cluster.",
    rules: [
      needsNewOffsets,
      ...namesOneBackup,
      ...existingTopicsRules,
      Rule.required(
        "targetCluster",
        "a restore needs targetCluster with bootstrapServers, for example kafka-0.kafka.svc:9092"
      ),
      Rule.rule<{ readonly createTopics: boolean; readonly defaultReplicationFactor?: number }>({
        cel: "self.createTopics || !has(self.defaultReplicationFactor)",
        message:
          "defaultReplicationFactor has no effect with createTopics false: remove it, or set createTopics to true",
        reason: "FieldValueForbidden",
        fieldPath: ".defaultReplicationFactor",
        holds: (self) => self.createTopics || self.defaultReplicationFactor === undefined
      })
    ]
  }
)
export type KafkaRestoreSpec = typeof KafkaRestoreSpec.Type
