import { Clock, Effect, Option, Result } from "effect"
import { Command, Flag } from "effect/cli"
import { hostname } from "node:os"
import * as ClusterFigures from "../backup/ClusterFigures.ts"
import type * as CostModel from "../backup/CostModel.ts"
import * as KeptAges from "../backup/KeptAges.ts"
import * as LockedAges from "../backup/LockedAges.ts"
import * as Planning from "../backup/Planning.ts"
import * as RereadingTime from "../backup/RereadingTime.ts"
import * as SpecRequest from "../backup/SpecRequest.ts"
import * as BackupId from "../identity/BackupId.ts"
import { slotText } from "../identity/RunIdentity.ts"
import { KafkaSources } from "../kafka/KafkaSource.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import * as OwnSets from "../manifest/OwnSets.ts"
import { formatOf } from "../manifest/RunPlan.ts"
import type { SetFacts } from "../manifest/SetFacts.ts"
import * as Quantity from "../resource/Quantity.ts"
import * as Slots from "../schedule/Slots.ts"
import * as Connections from "../worker/Connections.ts"
import * as Worker from "../Worker.ts"
import * as Display from "./Display.ts"
import * as EstimateOutput from "./EstimateOutput.ts"
import * as GrowthSource from "./GrowthSource.ts"
import * as Resource from "./Resource.ts"
import { output, shared } from "./SharedFlags.ts"
import * as StandardOutput from "./StandardOutput.ts"

/**
 * Record stream per second where no backup says how fast this machine is. Of a bench with two cores:
 * docs/performance.md.
 */
const assumedBytesPerSecond = 150_000_000
/** Least record stream of a backup that tells how fast runs are. */
const leastBytes = 64 * 1024 * 1024
/** Slots from which the mean interval of a schedule is taken. */
const slotsLookedAt = 500

const ByteRate = Flag.String("rate").pipe(
  Flag.withMetavar("BYTES"),
  Flag.filterMap(
    (text) => Option.fromUndefinedOr(Quantity.wholeNumber(text)),
    () => "a quantity of bytes per second, such as 500000, 512Ki or 5Mi"
  ),
  Flag.filter(
    (n) => n >= 1,
    () => "must be 1 or more"
  ),
  Flag.optional,
  Flag.map(Option.getOrUndefined),
  Flag.withDescription(
    "bytes that are new each second in all topics together, uncompressed (default: as measured since the newest backup, or " +
      "within --watch)"
  )
)

const flags = {
  ...shared,
  output,
  rate: ByteRate,
  watch: Flag.Int("watch").pipe(
    Flag.withMetavar("SECONDS"),
    Flag.filter(
      (n) => n >= 1 && n <= 3600,
      () => "must be from 1 to 3600"
    ),
    Flag.withDefault(10),
    Flag.withDescription("seconds for which the growth of the topics is measured where there is no backup (10)")
  )
}

/** The mean time between two slots; undefined without a schedule. */
const intervalOf = (spec: { readonly schedule?: string; readonly timeZone?: string }, nowMillis: number) => {
  if (spec.schedule === undefined) return undefined
  const slots = Slots.of({ schedule: spec.schedule, timeZone: spec.timeZone })
  if (Result.isFailure(slots)) return undefined
  const first = Slots.next(slots.success, nowMillis)
  if (first === undefined) return undefined
  let last = first
  let count = 0
  // As many as a year has: a schedule may have gaps at night or on Sundays.
  for (; count < slotsLookedAt && last - first < 366 * 86_400_000; count++) {
    const next = Slots.next(slots.success, last)
    if (next === undefined) break
    last = next
  }
  return count === 0 ? undefined : (last - first) / count
}

interface Newest {
  readonly facts: SetFacts | undefined
  /** Of the backup since which growth is measured: the newest one that is old enough, or else the newest. */
  readonly earlier?: SetFacts | undefined
  /** Record stream of its topics, for each offset. */
  readonly streams: ReadonlyMap<string, number>
  readonly note?: string
}

/** What is known of the newest backup of the resource; none where it has none, or where storage does not answer. */
const newestSet = (
  given: Resource.Directories,
  backup: Parameters<typeof SpecRequest.resource>[0],
  nowMillis: number
) =>
  Worker.openStore(backup, given.volumes).pipe(
    Effect.flatMap(
      Effect.fnUntraced(function* (store) {
        const none = BackupId.BackupId.make("none")
        const before = (millis: number) => OwnSets.newestBefore(store, SpecRequest.resource(backup), none, millis)
        const facts = yield* before(nowMillis)
        if (facts === undefined) return { facts, streams: new Map<string, number>() } satisfies Newest as Newest
        const streams = ClusterFigures.streamOf(yield* Catalogue.openById(store, facts.backupId))
        const isOld = nowMillis - facts.startedMillis >= GrowthSource.leastMillis
        const earlier = isOld ? facts : ((yield* before(nowMillis - GrowthSource.leastMillis)) ?? facts)
        return { facts, earlier, streams } satisfies Newest as Newest
      })
    ),
    Effect.catch((error) =>
      Effect.succeed<Newest>({
        facts: undefined,
        streams: new Map(),
        note: `storage was not asked for backups: ${error.message}`
      })
    ),
    Effect.provide(Resource.secretsLayer(given))
  )

/** What the newest backup tells beyond the growth of the logs. */
const measuredBy = (facts: SetFacts, streamBytes: number) => {
  const millis = facts.completedMillis - facts.startedMillis
  return {
    storedPerByte: streamBytes > 0 ? facts.totals.storedBytes / streamBytes : undefined,
    // A small backup takes the time of its start and its proof.
    bytesPerSecond:
      streamBytes >= leastBytes && facts.base === undefined ? (streamBytes * 1000) / Math.max(1, millis) : undefined
  }
}

/** What the figures do not say of a backup that several pods make. */
const podNotes = (pods: number, isSpeedMeasured: boolean): ReadonlyArray<string> =>
  pods === 1
    ? []
    : [
        (isSpeedMeasured
          ? "the speed is that of all pods of the newest backup"
          : "the speed is assumed for one pod alone") +
          `; with spec.job.parallelism: ${pods} each pod has a share of the partitions, and memory of its own`
      ]

const estimated = Effect.fnUntraced(function* (given: Command.Command.Config.Infer<typeof flags>) {
  const backup = yield* Resource.read(given.file)
  yield* Resource.assertDirectories(backup, given)
  const nowMillis = yield* Clock.currentTimeMillis
  const target = yield* Connections.kafka(backup.spec.kafkaCluster).pipe(Effect.provide(Resource.secretsLayer(given)))
  const kafka = yield* (yield* KafkaSources).open(target)
  const request = SpecRequest.request(backup, SpecRequest.identity(backup, slotText(nowMillis)), hostname())
  const plan = yield* Planning.make(kafka, request, BackupId.forSlot(backup.metadata.name, nowMillis))
  const { earlier, facts, note, streams } = yield* newestSet(given, backup, nowMillis)

  const sizes = new Map<string, ClusterFigures.OffsetSize>()
  yield* Effect.forEach(
    plan.topics,
    (topic) =>
      Effect.map(ClusterFigures.sizeOf(kafka, topic), (size) => {
        if (size === undefined) return
        const streamBytes = streams.get(topic.name) ?? size.streamBytes
        sizes.set(topic.name, {
          streamBytes,
          sentBytes: (size.sentBytes / Math.max(1e-9, size.streamBytes)) * streamBytes
        })
      }),
    { concurrency: 8, discard: true }
  )
  const streamOf = (topic: string) => sizes.get(topic)?.streamBytes ?? 0

  const since = GrowthSource.of(earlier, facts, plan.createdMillis, given.watch)
  let growth: ReadonlyArray<ClusterFigures.Growth>
  let overMillis: number
  let source: EstimateOutput.Source
  if (given.rate !== undefined) {
    growth = ClusterFigures.since(plan.topics, [])
    const all = growth.reduce((n, { offsets, topic }) => n + offsets * streamOf(topic), 0)
    overMillis = (all / Math.max(1, given.rate)) * 1000
    source = { _tag: "Given" }
  } else if (since.from !== undefined) {
    growth = ClusterFigures.since(plan.topics, since.from.topics)
    overMillis = plan.createdMillis - since.from.startedMillis
    source = { _tag: "Backup", backupId: since.from.backupId }
  } else {
    yield* Effect.sleep(`${given.watch} seconds`)
    const later = yield* Planning.make(kafka, request, plan.backupId)
    growth = ClusterFigures.since(later.topics, plan.topics)
    overMillis = later.createdMillis - plan.createdMillis
    source = { _tag: "Looks", seconds: given.watch }
  }

  const partitions = growth.map(({ newOffsets, offsets, topic }): CostModel.PartitionFigures => ({
    bytes: offsets * streamOf(topic),
    bytesPerSecond: overMillis > 0 ? (newOffsets * streamOf(topic) * 1000) / overMillis : 0
  }))
  const bytes = partitions.reduce((n, one) => n + one.bytes, 0)
  const sent = growth.reduce((n, { offsets, topic }) => n + offsets * (sizes.get(topic)?.sentBytes ?? 0), 0)
  const ofBackup = facts?.topics.reduce(
    (n, { name, partitions }) => n + partitions.reduce((m, { from, until }) => m + (until - from), 0) * streamOf(name),
    0
  )
  const isComparable = facts !== undefined && formatOf(facts.settings) === formatOf(request.settings)
  const measured = isComparable ? measuredBy(facts, ofBackup ?? 0) : undefined
  const assumedStored = growth.reduce((n, { offsets, topic }) => {
    const size = sizes.get(topic)
    return size === undefined ? n : n + offsets * ClusterFigures.storedOf(request.settings, size)
  }, 0)
  const unlimited = measured?.bytesPerSecond ?? assumedBytesPerSecond
  const sentPerByte = bytes > 0 ? sent / bytes : 1
  const limit = (backup.spec.rateLimit?.bytesPerSecond ?? Infinity) / Math.max(sentPerByte, 1e-9)
  const intervalMillis = intervalOf(backup.spec, nowMillis)
  const rules = { keep: backup.spec.retention?.backups, time: SpecRequest.timeRules(backup) }
  const kept =
    intervalMillis === undefined
      ? { ages: [0], isEndless: false, isCut: false }
      : KeptAges.of(rules, intervalMillis, nowMillis)
  return {
    figures: {
      partitions,
      sentPerByte,
      storedPerByte:
        measured?.storedPerByte ??
        (bytes > 0 ? assumedStored / bytes : ClusterFigures.storedPerByte[backup.spec.compression]),
      bytesPerSecond: Math.min(unlimited, limit),
      intervalMillis,
      keptAgesMillis: kept.ages,
      checkpointMillis: backup.spec.checkpointIntervalSecs * 1000,
      sampledPercent: backup.spec.verification.percentPerRun,
      mostSampledMillis: RereadingTime.longestMillis(backup.spec)
    },
    topics: plan.topics.length,
    lockDays: LockedAges.lockDays(backup.spec),
    isEndless: kept.isEndless,
    source,
    isStoredMeasured: measured?.storedPerByte !== undefined,
    isSpeedMeasured: measured?.bytesPerSecond !== undefined,
    notes: [
      ...(note === undefined ? [] : [note]),
      ...(given.rate === undefined ? since.notes : []),
      ...podNotes(backup.spec.job.parallelism, measured?.bytesPerSecond !== undefined),
      ...(kept.isCut ? ["the rules of spec.retention keep more backups than were counted"] : []),
      ...plan.notes
    ]
  } satisfies EstimateOutput.Estimate
})

export const estimate = Command.make(
  "estimate",
  flags,
  Effect.fnUntraced(function* (given) {
    const found = yield* Display.during(() => "looking at the topics")(estimated(given))
    yield* StandardOutput.print(given.output === "json" ? EstimateOutput.json(found) : EstimateOutput.text(found))
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Estimate what the backups of a resource cost: bytes, requests and time of each run and each month, and what is stored " +
      "in the long run. From the size and growth of the topics, a sample of their records, and the newest backup where " +
      "there is one. Writes nothing"
  ),
  Command.withShortDescription("Estimate what the backups of a resource cost"),
  Command.withExamples([
    {
      command: "kafka-backup estimate -f backup.yaml --secrets ./secrets",
      description: "bytes, requests and time for the schedule and the retention of the manifest"
    },
    { command: "kafka-backup estimate -f backup.yaml --rate 5Mi -o json", description: "for a growth that is known" }
  ])
)
