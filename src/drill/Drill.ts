import { Clock, Effect } from "effect"
import * as Attempt from "../restore/Attempt.ts"
import { BatchMemory } from "../restore/BatchMemory.ts"
import { codecOf } from "../restore/Compression.ts"
import * as Holes from "../restore/Holes.ts"
import * as Pace from "../restore/Pace.ts"
import * as PartitionRestore from "../restore/PartitionRestore.ts"
import type { PlannedPartition } from "../restore/RestorePlan.ts"
import * as RecordMemory from "../restore/RecordMemory.ts"
import * as TargetTopics from "../restore/TargetTopics.ts"
import * as Writers from "../restore/Writers.ts"
import * as Memory from "../worker/Memory.ts"
import type { WriteBounds } from "../worker/WriteBounds.ts"
import { Differs, DrillError, NothingToDrill } from "./DrillError.ts"
import type { OnFact, Systems } from "./DrillFacts.ts"
import type { Prepared } from "./DrillPreflight.ts"
import type { DrillRequest } from "./DrillRequest.ts"
import * as Estimate from "./Estimate.ts"
import * as LiveComparison from "./LiveComparison.ts"
import * as ScratchGroup from "./ScratchGroup.ts"
import * as ScratchTopics from "./ScratchTopics.ts"

export interface Options extends WriteBounds {
  /** How long a partition may make no progress before the drill fails. */
  readonly patienceMillis: number
  readonly onAppended: (records: number, bytes: number, partition: PlannedPartition) => void
  readonly onProven: (partition: PlannedPartition) => void
  readonly onFact: OnFact
}

/** Writes every scratch partition, reads it back, and compares it with the backup. */
const writeAll = (
  systems: Systems,
  { plan: { pieces, restore } }: Prepared,
  ids: ReadonlyMap<string, string | undefined>,
  { producer }: Attempt.Begun,
  options: Options & Pick<PartitionRestore.Tools, "holes" | "pace">
) => {
  const memory = new BatchMemory(options.batchMemoryBytes)
  const open = RecordMemory.openPartitions(restore.topics, options.openPartitions, Memory.limitBytes())
  const writers = Writers.make(open)
  return Effect.forEach(
    restore.topics.flatMap((topic) => topic.partitions.map((partition) => ({ plan: restore, topic, partition }))),
    (place) => {
      const { partition, topic } = place
      const piece = pieces.find(
        ({ target, targetPartition }) => target === topic.target && targetPartition === partition.partition
      )!
      return PartitionRestore.run(place, ids.get(topic.target), {
        ...systems,
        ...options,
        producer,
        memory,
        inTurn: writers.inTurn(Writers.storedBytes(partition)),
        codec: codecOf(topic.configs?.["compression.type"]),
        onAppended: (records, bytes) => options.onAppended(records, bytes, partition)
      }).pipe(
        Effect.tap(() => Effect.sync(() => options.onProven(partition))),
        // The words of a restore name the scratch topic, and advise to delete it.
        Effect.catchReason("RestoreError", "Differs", ({ detail, from, until }) =>
          Effect.fail(
            new DrillError({
              reason: new Differs({
                backupId: restore.backupId,
                place: `${piece.source}[${piece.partition}]`,
                detail: `${detail} (offsets ${from} to ${until - 1} of scratch topic ${topic.target})`
              })
            })
          )
        )
      )
    },
    { concurrency: open, discard: true }
  )
}

/**
 * Carries out what was prepared, and deletes the scratch topics however it ends. Completes only if everything that was
 * chosen was restored, and is what the backup and the live topics hold.
 */
export const run = Effect.fn("Drill.run")(function* (
  systems: Systems,
  request: DrillRequest,
  prepared: Prepared,
  options: Options
) {
  const { sink } = systems
  const { knowsBounds, means, owner, plan, set } = prepared
  const pace = Pace.make(request)
  const begun = yield* Attempt.begin(sink, owner)
  const { left, removed } = yield* ScratchTopics.removeLeftovers(sink, owner)
  const known = new Set([...left, ...removed])
  options.onFact({ cleared: removed, left, strays: prepared.alike.filter((name) => !known.has(name)) })
  if (plan.records === 0) {
    const { name, namespace } = request.resource
    const resource = namespace === undefined ? name : `${namespace}/${name}`
    const { location } = systems.store
    return yield* new DrillError({ reason: new NothingToDrill({ resource, location, backupId: set.backupId }) })
  }
  const made: ScratchTopics.Made = new Map()
  const work = Effect.gen(function* () {
    yield* ScratchTopics.create(sink, owner, plan.restore, knowsBounds, made)
    const ids = yield* TargetTopics.ids(sink, plan.restore)
    // An earlier attempt had other topics.
    const holes = yield* Holes.writer(sink, owner, means, plan.restore.topics, false)
    const startedMillis = yield* Clock.currentTimeMillis
    yield* writeAll(systems, prepared, ids, begun, { ...options, pace, holes })
    const millis = (yield* Clock.currentTimeMillis) - startedMillis
    const { bytes, fillingMillis } = plan
    const measured = { bytes, millis, fillingMillis }
    options.onFact({ millis, estimatedMillis: Estimate.wholeRestoreMillis(measured, Estimate.wholeOf(set, means)) })
    if (systems.live !== undefined) {
      options.onFact({
        live: yield* LiveComparison.compare(systems.live, systems.store, set, plan, { ...options, pace })
      })
    }
    yield* ScratchGroup.attempt(sink, owner, plan.restore)
  })
  yield* Effect.raceFirst(work, begun.untilOvertaken).pipe(
    Effect.onExit(() =>
      Effect.map(ScratchTopics.remove(sink, made), (stay) => options.onFact({ left: [...left, ...stay] }))
    )
  )
})
