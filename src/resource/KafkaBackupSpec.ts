import { ClusterMetadataSpec } from "./ClusterMetadataSpec.ts"
import * as Compression from "./Compression.ts"
import { DrillSpec } from "./DrillSpec.ts"
import * as Field from "./Field.ts"
import { IncrementalSpec } from "./IncrementalSpec.ts"
import { JobSpec } from "./JobSpec.ts"
import { KafkaClusterSpec } from "./KafkaClusterSpec.ts"
import { CircuitBreakerSpec, RateLimitSpec } from "./LimitsSpec.ts"
import { PodTemplateSpec } from "./PodTemplateSpec.ts"
import { ResourcesSpec } from "./ResourcesSpec.ts"
import { RetentionSpec } from "./RetentionSpec.ts"
import * as Rule from "./Rule.ts"
import * as ScheduleSpec from "./ScheduleSpec.ts"
import * as SegmentFormat from "./SegmentFormat.ts"
import { StorageSpec } from "./StorageSpec.ts"
import { VerificationSpec } from "./VerificationSpec.ts"
import { maxPatterns, TopicPattern } from "./TopicPattern.ts"

/** What the user wants. The one description of every field: text, bounds, defaults and rules sit here and below. */
export const KafkaBackupSpec = Field.object(
  {
    schedule: Field.optional(ScheduleSpec.Schedule),
    timeZone: Field.optional(ScheduleSpec.TimeZone),
    suspend: Field.withDefault(ScheduleSpec.Suspend, false),
    immediate: Field.withDefault(ScheduleSpec.Immediate, false),
    startingDeadlineSeconds: Field.optional(ScheduleSpec.StartingDeadlineSeconds),
    kafkaCluster: KafkaClusterSpec,
    topics: Field.list(TopicPattern, {
      description:
        "Topics to back up: names and wildcard patterns. A named topic must exist. A pattern never selects a topic that Kafka flags internal; its exact name does.",
      maxItems: maxPatterns,
      rules: [
        Rule.rule({
          cel: "self.size() >= 1",
          message: "must name at least one topic or pattern; '*' selects every topic that is not internal",
          holds: (self) => self.length >= 1
        })
      ]
    }),
    excludeTopics: Field.withDefault(
      Field.list(TopicPattern, {
        description: "Topics to leave out: names and wildcard patterns. Takes precedence over topics.",
        maxItems: maxPatterns
      }),
      []
    ),
    storage: StorageSpec,
    format: Field.withDefault(SegmentFormat.SegmentFormat, "records"),
    compression: Field.withDefault(Compression.Compression, "zstd"),
    compressionLevel: Field.optional(Compression.CompressionLevel),
    includeOffsetHeaders: Field.withDefault(
      Field.flag({
        description:
          "Add each record's original offset to its headers. Offset and timestamp are stored in any case; with headers a restored topic carries them too."
      }),
      false
    ),
    sourceClusterId: Field.optional(
      Field.text({
        description:
          "Name of the source cluster, written into every backup, for mapping offsets when restoring elsewhere.",
        maxLength: 255,
        rules: [
          Rule.matches(
            "^[!-~]([ -~]*[!-~])?$",
            "must be printable ASCII without blanks at either end, for example production-us-west-2"
          )
        ]
      })
    ),
    checkpointIntervalSecs: Field.withDefault(
      Field.integer({
        description:
          "Seconds between checkpoints: at most this much work is repeated after a pod is lost. Short intervals make many small objects.",
        minimum: 1,
        maximum: 3600
      }),
      30
    ),
    clusterMetadata: Field.withDefault(ClusterMetadataSpec, {}),
    incremental: Field.withDefault(IncrementalSpec, {}),
    verification: Field.withDefault(VerificationSpec, {}),
    retention: Field.optional(RetentionSpec),
    drill: Field.optional(DrillSpec),
    rateLimit: Field.optional(RateLimitSpec),
    circuitBreaker: Field.withDefault(CircuitBreakerSpec, {}),
    resources: Field.optional(ResourcesSpec),
    job: Field.withDefault(JobSpec, {}),
    podTemplate: Field.optional(PodTemplateSpec),
    deletionPolicy: Field.withDefault(
      Field.choice(["Retain", "Delete"], {
        description:
          "What happens to the stored backups when this resource is deleted: Retain keeps them, Delete removes those that are provably its own."
      }),
      "Retain"
    )
  },
  {
    description: "What to back up, when, and where to.",
    rules: [
      ...ScheduleSpec.rules,
      ...Compression.rules,
      ...SegmentFormat.rules,
      Rule.required(
        "kafkaCluster",
        "a backup needs kafkaCluster with bootstrapServers, for example kafka-0.kafka.svc:9092"
      ),
      Rule.required(
        "topics",
        "a backup needs topics: list names or patterns, for example orders and payments-*; '*' selects every topic that is not internal"
      ),
      Rule.required(
        "storage",
        "a backup needs storage with storageType (s3, azure, gcs or pvc) and the block of that name"
      )
    ]
  }
)
export type KafkaBackupSpec = typeof KafkaBackupSpec.Type
