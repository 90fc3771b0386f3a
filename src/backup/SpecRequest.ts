import * as Compression from "../resource/Compression.ts"
import * as DrillSpec from "../resource/DrillSpec.ts"
import { acceptLossAnnotation, type KafkaBackup, pinAnnotation } from "../resource/KafkaBackup.ts"
import * as RetentionSpec from "../resource/RetentionSpec.ts"
import * as StorageSpec from "../resource/StorageSpec.ts"
import type { Owner, RunIdentity } from "../identity/RunIdentity.ts"
import type { Adopting, Resource } from "../manifest/Adoption.ts"
import * as Breaker from "../worker/Breaker.ts"
import type { TimeRules } from "./KeepRules.ts"
import * as RereadingTime from "./RereadingTime.ts"
import type { RunRequest } from "./RunRequest.ts"

/** The owner of a run, from the resource's metadata. */
export const owner = ({ metadata }: KafkaBackup): Owner => ({
  ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
  ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
  name: metadata.name
})

/** What the resource needs to know of itself to find backups that earlier resources of its name made. */
const adopting = ({ metadata: { creationTimestamp }, spec }: KafkaBackup): Adopting => {
  const createdMillis = Date.parse(creationTimestamp ?? "")
  return {
    sourceClusterId: spec.sourceClusterId,
    createdMillis: Number.isNaN(createdMillis) ? undefined : createdMillis
  }
}

/** The resource as the one that looks for its backups. */
export const resource = (backup: KafkaBackup): Resource => ({ ...owner(backup), adopting: adopting(backup) })

/** The run of a slot (RFC 3339, UTC), or of the trigger that was first seen at that time. */
export const identity = (backup: KafkaBackup, slot: string, trigger?: string): RunIdentity => ({
  owner: owner(backup),
  slot,
  ...(trigger === undefined ? {} : { trigger })
})

/** The losses that are confirmed, as the resource's annotation says. */
export const acceptedLoss = ({ metadata }: KafkaBackup): string | undefined =>
  metadata.annotations?.[acceptLossAnnotation]?.trim()

/** The backups that the resource's annotation pins, as it is written. */
export const pinned = ({ metadata }: KafkaBackup): string | undefined => metadata.annotations?.[pinAnnotation]

/** What `spec.retention` keeps beside a number of backups; undefined for nothing. */
export const timeRules = ({ spec: { retention, timeZone } }: KafkaBackup): TimeRules | undefined => {
  const { keep, maxAge } = retention ?? {}
  if (maxAge === undefined && keep === undefined) return undefined
  return {
    ...(maxAge === undefined ? {} : { maxAgeMillis: RetentionSpec.maxAgeMillis(maxAge) }),
    ...(keep === undefined ? {} : { keep }),
    ...(timeZone === undefined ? {} : { timeZone })
  }
}

/** What a resource asks of one of its runs. Pure; defaults that the API does not fix are set here. */
export const request = (backup: KafkaBackup, run: RunIdentity, host: string): RunRequest => {
  const { spec } = backup
  const ignored = StorageSpec.ignoredStorageBlocks(spec)
  return {
    identity: run,
    // Without a uid nothing tells an earlier resource from one that is at work: only a command by hand adopts then.
    adopting: run.owner.uid === undefined ? undefined : adopting(backup),
    topics: spec.topics,
    // A drill may be at work in the same cluster.
    excludeTopics: [...spec.excludeTopics, ...DrillSpec.scratchPatterns(spec.drill)],
    // None where Strimzi's resources have them: no command that plans a backup gets that far then.
    bootstrapServers: spec.kafkaCluster.bootstrapServers ?? [],
    settings: {
      ...(spec.format === "records" ? {} : { format: spec.format }),
      compression: spec.compression,
      compressionLevel: Compression.level(spec),
      includeOffsetHeaders: spec.includeOffsetHeaders,
      ...(spec.sourceClusterId === undefined ? {} : { sourceClusterId: spec.sourceClusterId })
    },
    checkpointIntervalMillis: spec.checkpointIntervalSecs * 1000,
    bytesPerSecond: spec.rateLimit?.bytesPerSecond,
    recordsPerSecond: spec.rateLimit?.recordsPerSecond,
    incremental: spec.incremental.enabled ? { fullEvery: spec.incremental.fullEvery } : undefined,
    clusterMetadata: spec.clusterMetadata,
    percentPerRun: spec.verification.percentPerRun,
    longestRereadMillis: RereadingTime.longestMillis(spec),
    retainedBackups: spec.retention?.backups,
    retainedByTime: timeRules(backup),
    retention: RetentionSpec.timed(spec.retention, spec.timeZone),
    acceptedLoss: acceptedLoss(backup),
    pinned: pinned(backup),
    circuitBreaker: Breaker.settings(spec.circuitBreaker),
    host,
    notes: [
      ...(ignored.length === 0
        ? []
        : [`${StorageSpec.ignoredText(ignored)} because storageType is ${spec.storage.storageType}`]),
      ...(spec.compression === "lz4" && spec.compressionLevel !== undefined
        ? [`compressionLevel ${spec.compressionLevel} has no effect: the lz4 encoder has a single level`]
        : [])
    ]
  }
}
