import { Effect, Result } from "effect"
import { Argument, Command } from "effect/cli"
import * as Adoption from "../manifest/Adoption.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import * as Damage from "../manifest/Damage.ts"
import { sentence } from "../manifest/FullReason.ts"
import { type ManifestPartition, totals } from "../manifest/Manifest.ts"
import * as FailedRuns from "../backup/FailedRuns.ts"
import * as SpecRequest from "../backup/SpecRequest.ts"
import * as KnownSet from "../manifest/KnownSet.ts"
import * as Pins from "../manifest/Pins.ts"
import { fullReads, type SetFacts } from "../manifest/SetFacts.ts"
import * as SetCheck from "../manifest/SetCheck.ts"
import * as SetIndex from "../manifest/SetIndex.ts"
import * as SetLocks from "../manifest/SetLocks.ts"
import * as WholeElsewhere from "../manifest/WholeElsewhere.ts"
import * as Needs from "../restore/Needs.ts"
import * as Format from "../status/Format.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { Protection } from "../storage/Protection.ts"
import { protectionText } from "../storage/Protection.ts"
import * as DescribedDamage from "./DescribedDamage.ts"
import * as DescribedMetadata from "./DescribedMetadata.ts"
import * as DescribedNeeds from "./DescribedNeeds.ts"
import * as FailedRunOutput from "./FailedRunOutput.ts"
import * as Quantities from "./Quantities.ts"
import * as Resource from "./Resource.ts"
import { output, shared } from "./SharedFlags.ts"
import * as StandardOutput from "./StandardOutput.ts"
import * as Table from "./Table.ts"

/** The id of a backup, as `list` shows it. */
export const backupId = Argument.String("BACKUP_ID").pipe(
  Argument.withDescription("id of the backup, as shown by list")
)

const columns: ReadonlyArray<Table.Column> = [
  { heading: "TOPIC" },
  { heading: "PARTITION", align: "right" },
  { heading: "OFFSETS" },
  { heading: "RECORDS", align: "right" },
  { heading: "SEGMENTS", align: "right" },
  { heading: "SIZE", align: "right" },
  { heading: "NOTES" }
]

interface PartitionRow {
  readonly topic: string
  readonly partition: number
  readonly from: number
  /** Exclusive. */
  readonly until: number
  /** Where the log began, if the backup holds records from before. */
  readonly logStart?: number
  readonly highWatermark?: number
  /** Why it was read in full, although other partitions were not. */
  readonly full?: string
  readonly stored: ManifestPartition | undefined
}

/** One row per partition: all partitions of our own backups, and those with records in backups of other tools. */
const partitions = ({ facts, manifest }: Catalogue.BackupSet): ReadonlyArray<PartitionRow> => {
  const storedOf = (topic: string, partition: number) =>
    manifest.topics.find((t) => t.name === topic)?.partitions.find((p) => p.partition_id === partition)
  if (facts !== undefined) {
    return facts.topics.flatMap((topic) =>
      topic.partitions.map((p) => ({ topic: topic.name, ...p, stored: storedOf(topic.name, p.partition) }))
    )
  }
  return manifest.topics.flatMap((topic) =>
    topic.partitions.map((stored) => ({
      topic: topic.name,
      partition: stored.partition_id,
      from: stored.segments[0]?.start_offset ?? 0,
      until: (stored.segments.at(-1)?.end_offset ?? -1) + 1,
      stored
    }))
  )
}

const row = ({
  from,
  full,
  highWatermark,
  logStart,
  partition,
  stored,
  topic,
  until
}: PartitionRow): ReadonlyArray<string> => {
  const segments = stored?.segments ?? []
  const notes = [
    ...(full === undefined ? [] : [`read in full: ${sentence(full)}`]),
    ...(logStart === undefined
      ? []
      : [`the log began at offset ${logStart}: a restore leaves out ${Quantities.offsets(from, logStart)}`]),
    ...(highWatermark === undefined
      ? []
      : [`an open transaction holds back ${Quantities.offsets(until, highWatermark)}`]),
    ...(stored?.gaps ?? []).map(
      (gap) => `gap: ${Quantities.offsets(gap.start_offset, gap.end_offset)} had been deleted in Kafka`
    )
  ]
  return [
    topic,
    String(partition),
    from === until ? "empty" : `${from}-${until - 1}`,
    Format.count(segments.reduce((n, segment) => n + segment.record_count, 0)),
    Format.count(segments.length),
    Format.bytes(segments.reduce((n, segment) => n + (segment.compressed_size ?? 0), 0)),
    notes.join("; ")
  ]
}

const pinned = ({ reason, sinceMillis, who }: Pins.Pin): string =>
  `since ${Format.time(sinceMillis)}, by ${who}${reason === undefined ? "" : `: ${reason}`}`

/** What the backup builds on, and what is its own. */
const building = (facts: SetFacts, isBaseThere: boolean): ReadonlyArray<readonly [string, string]> => {
  const { newRecords, newStoredBytes, records, storedBytes } = facts.totals
  const reasons = fullReads(facts).map(
    ({ partitions, reason }) =>
      `${Format.count(partitions)} of ${Format.count(facts.totals.partitions)}: ${sentence(reason)}`
  )
  return [
    ...(facts.base === undefined
      ? []
      : ([["Builds on", isBaseThere ? facts.base.backupId : removedBase(facts.base.backupId)]] as const)),
    ...(facts.base === undefined || newRecords === undefined || newStoredBytes === undefined
      ? []
      : ([
          ["New records", `${Format.count(newRecords)} of ${Format.count(records)}`],
          ["New", `${Format.bytes(newStoredBytes)} of ${Format.bytes(storedBytes)}`]
        ] as const)),
    ...reasons.map((reason) => ["Read in full", `partitions ${reason}`] as const)
  ]
}

const removedBase = (backupId: string): string => `${backupId}, removed since; its objects that this backup needs stay`

const summary = (
  set: Catalogue.BackupSet,
  lost: string | undefined,
  pin: string | undefined,
  locked: Protection | undefined,
  isBaseThere: boolean
): string => {
  const { facts, manifest } = set
  const sum = totals(manifest)
  return Table.facts([
    ["Backup", set.backupId],
    ["Created", Format.time(manifest.created_at)],
    ...(facts === undefined
      ? ([["Made by", "another tool (it has no kb-meta.json)"]] as const)
      : ([
          ["Completed", Format.time(facts.completedMillis)],
          ["Slot", facts.identity.slot],
          ["Headers added", facts.addedHeaders.join(", ") || "none"],
          [
            manifest.kb_format === undefined ? "Keys and values" : "Batches in Kafka",
            Format.bytes(facts.totals.payloadBytes)
          ],
          ...building(facts, isBaseThere)
        ] as const)),
    ...(pin === undefined ? [] : [["Pinned", pin] as const]),
    ...(locked === undefined ? [] : [["In the store", protectionText(locked)] as const]),
    ["Cluster", manifest.source_cluster_id ?? "unknown"],
    ["Format", manifest.kb_format ?? "records"],
    ["Compression", manifest.compression ?? "zstd"],
    ...DescribedMetadata.facts(facts?.clusterMetadata, lost),
    ["Topics", Format.count(sum.topics)],
    ["Segments", Format.count(sum.segments)],
    ["Records", Format.count(sum.records)],
    ["Stored", Format.bytes(sum.storedBytes)]
  ])
}

/** What is known to be damaged, and which other backups have it whole. */
const knownDamage = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  set: Catalogue.BackupSet
) {
  const objects = yield* Damage.read(store, set.backupId)
  const indexed = yield* SetIndex.indexed(store, Adoption.ownerOf(resource))
  const before = indexed.find(({ backupId }) => backupId === set.backupId)?.check
  const now = yield* SetCheck.ofSet(store, set)
  const since = before?.damage === undefined ? {} : { atMillis: SetIndex.noticedMillis(before) }
  return {
    objects,
    ...(now._tag === "Damaged" ? { noticed: { ...since, text: now.problem } } : {}),
    found: yield* WholeElsewhere.find(store, resource, set, objects)
  } satisfies DescribedDamage.KnownDamage
})

export const describe = Command.make(
  "describe",
  { ...shared, backupId, output },
  Effect.fnUntraced(function* (flags) {
    const { backup, store } = yield* Resource.openStore(flags.file, flags)
    const resource = SpecRequest.resource(backup)
    const opened = yield* Effect.result(KnownSet.open(store, Adoption.ownerOf(resource), flags.backupId))
    if (Result.isFailure(opened)) {
      // What is no backup may be a run that failed.
      const failed =
        opened.failure._tag === "CatalogueError" ? yield* FailedRuns.find(store, flags.backupId) : undefined
      if (failed === undefined) return yield* opened.failure
      return yield* StandardOutput.print(
        flags.output === "json"
          ? JSON.stringify({ failedRun: failed.report }, null, 2)
          : [FailedRunOutput.text(failed), "", `note: ${opened.failure.message}`].join("\n")
      )
    }
    const set = opened.success
    const damage = yield* knownDamage(store, resource, set)
    const lost = yield* DescribedMetadata.lost(store, set)
    const locked = yield* SetLocks.ofYoungest(store, set.backupId)
    if (flags.output === "json") {
      return yield* StandardOutput.print(
        JSON.stringify(
          {
            manifest: set.manifest,
            facts: set.facts ?? null,
            damage: { ...DescribedDamage.json(damage), clusterMetadata: lost ?? null },
            locked: locked ?? null,
            restore: DescribedNeeds.json(Needs.of(set))
          },
          null,
          2
        )
      )
    }
    const isAnnotated = Pins.named(SpecRequest.pinned(backup)).includes(set.backupId)
    const pin = yield* Pins.read(store, set.backupId).pipe(
      Effect.map((found) => (found === undefined ? undefined : pinned(found))),
      Effect.catchReason("CatalogueError", "DocumentUnreadable", ({ message }) =>
        Effect.succeed(`yes, but ${message}`)
      ),
      Effect.map((found) => found ?? (isAnnotated ? "by the annotation kafka.oso.sh/pin" : undefined))
    )
    const base = set.facts?.base?.backupId
    const isBaseThere = base === undefined || (yield* Catalogue.isComplete(store, base))
    const notes = (set.facts?.notes ?? []).map((note) => `note: ${note}`)
    yield* StandardOutput.print(
      [
        summary(set, lost, pin, locked, isBaseThere),
        "",
        Table.format(columns, partitions(set).map(row)),
        ...notes,
        ...DescribedDamage.text(damage),
        "",
        DescribedNeeds.text(Needs.of(set))
      ].join("\n")
    )
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Show what one backup contains, partition by partition, and what a restore of it would need; of a failed run, why it failed and how far it came"
  ),
  Command.withExamples([
    { command: "kafka-backup describe orders-20261123-120000 -f backup.yaml", description: "a backup that list shows" }
  ])
)
