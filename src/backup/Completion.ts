import { Clock, Effect } from "effect"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import { AttemptSuperseded, CatalogueError } from "../manifest/CatalogueError.ts"
import * as Attempts from "../manifest/Attempts.ts"
import * as Documents from "../manifest/Documents.ts"
import * as GroupsSnapshot from "../manifest/GroupsSnapshot.ts"
import type { RunPlan } from "../manifest/RunPlan.ts"
import * as RunState from "../manifest/RunState.ts"
import * as SealedJson from "../manifest/SealedJson.ts"
import { addedHeaders, SetFacts } from "../manifest/SetFacts.ts"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Lineage from "./Lineage.ts"
import { NotProven, RunError } from "./RunError.ts"

/** Every reason why the durable state is not the planned set: ends not reached, segments out of order or range. Pure. */
export const contradictions = (plan: RunPlan, state: RunState.RunState): ReadonlyArray<string> =>
  plan.topics.flatMap((topic) =>
    topic.partitions.flatMap((partition) => {
      const place = `${topic.name}[${partition.partition}]`
      const held = RunState.of(state, topic.name, partition)
      const problems: Array<string> = []
      if (held.position !== partition.until) {
        problems.push(`${place} reached offset ${held.position} of ${partition.until}`)
      }
      let next = partition.from
      for (const segment of held.segments.toSorted((a, b) => a.start_offset - b.start_offset)) {
        if (segment.start_offset < next) problems.push(`${place}: ${segment.key} overlaps what came before it`)
        if (segment.end_offset < segment.start_offset || segment.record_count < 1) {
          problems.push(`${place}: ${segment.key} claims no records`)
        }
        next = segment.end_offset + 1
      }
      if (next > Math.max(partition.from, partition.until))
        problems.push(`${place} holds offsets beyond ${partition.until}`)
      return problems
    })
  )

/** A durable segment that the store has lost or changed. */
export interface LostSegment {
  readonly topic: string
  readonly partition: number
  /** What is wrong, with place and key. */
  readonly detail: string
}

/** Asks the store for every segment: it must be there with the size and the fingerprint that the put reported. */
export const lostSegments = (store: ObjectStoreShape, plan: RunPlan, state: RunState.RunState) =>
  Effect.forEach(
    RunState.segments(plan, state),
    ({ partition, segment, topic }) => {
      const lost = (what: string): ReadonlyArray<LostSegment> => {
        const offsets = `${segment.start_offset}-${segment.end_offset}`
        return [{ topic, partition, detail: `${topic}[${partition}] offsets ${offsets}: ${segment.key} ${what}` }]
      }
      return store.head(ObjectKey.make(segment.key)).pipe(
        Effect.map((found) => {
          if (found.size !== segment.compressed_size) {
            return lost(`has ${found.size} bytes instead of ${segment.compressed_size}`)
          }
          return segment.fingerprint !== undefined && found.fingerprint !== segment.fingerprint
            ? lost("was altered after it was stored")
            : []
        }),
        Effect.catchIf(Documents.isNotFound, () => Effect.succeed(lost("is not there")))
      )
    },
    { concurrency: 16 }
  ).pipe(Effect.map((found) => found.flat()))

const facts = (
  plan: RunPlan,
  state: RunState.RunState,
  notes: ReadonlyArray<string>,
  completedMillis: number
): SetFacts => {
  const segments = RunState.segments(plan, state)
  const sum = (of: (segment: (typeof segments)[number]["segment"]) => number) =>
    segments.reduce((total, { segment }) => total + of(segment), 0)
  return {
    version: 1,
    backupId: plan.backupId,
    identity: plan.identity,
    settings: plan.settings,
    addedHeaders: addedHeaders(plan.settings),
    ...(plan.clusterId === undefined ? {} : { clusterId: plan.clusterId }),
    ...(plan.selection === undefined ? {} : { selection: plan.selection }),
    startedMillis: plan.createdMillis,
    completedMillis,
    totals: {
      topics: plan.topics.length,
      partitions: plan.topics.reduce((n, topic) => n + topic.partitions.length, 0),
      segments: segments.length,
      records: sum((segment) => segment.record_count),
      payloadBytes: sum((segment) => segment.payloadBytes),
      storedBytes: sum((segment) => segment.compressed_size)
    },
    topics: plan.topics.map((topic) => ({
      name: topic.name,
      ...(topic.topicId === undefined ? {} : { topicId: topic.topicId }),
      partitions: topic.partitions.map((partition) => ({
        ...partition,
        records: RunState.of(state, topic.name, partition).segments.reduce((n, s) => n + s.record_count, 0)
      }))
    })),
    gaps: plan.topics.flatMap((topic) =>
      topic.partitions.flatMap((partition) =>
        RunState.of(state, topic.name, partition).gaps.map(({ from, until }) => ({
          topic: topic.name,
          partition: partition.partition,
          from,
          until,
          reason: "offset_out_of_range" as const
        }))
      )
    ),
    notes
  }
}

/** What is worth a warning when a backup is compared with the one before it. */
const compared = (before: SetFacts, after: SetFacts): ReadonlyArray<string> => {
  const [older, newer] = [Lineage.of(before), Lineage.of(after)]
  return [
    ...Lineage.losses(older, newer).map((loss) => Lineage.sentence(loss, before.backupId)),
    ...Lineage.gaps(older, newer).map(Lineage.gapSentence)
  ]
}

const json = (value: unknown) => [Buffer.from(`${JSON.stringify(value, null, 2)}\n`)]

/**
 * Proves the set and commits it. `manifest.json` is written last and only if absent, after every partition reached its
 * end and every segment was found as it was put. What it lacks of the `previous` backup is among its notes. Whoever finds a manifest there already lost a race it may lose.
 */
export const commit = Effect.fn("Completion.commit")(function* (
  store: ObjectStoreShape,
  plan: RunPlan,
  attempt: number,
  state: RunState.RunState,
  notes: ReadonlyArray<string>,
  previous: SetFacts | undefined
) {
  const wrong = contradictions(plan, state)
  const problems = wrong.length > 0 ? wrong : (yield* lostSegments(store, plan, state)).map((lost) => lost.detail)
  // What another attempt finished, or somebody removed, is not there any more: that is no fault of the store.
  yield* Attempts.assertLatest(store, plan.backupId, attempt)
  yield* assertStillOurs(store, plan.backupId, attempt)
  if (problems.length > 0) return yield* new RunError({ reason: new NotProven({ problems }) })
  const made = facts(plan, state, notes, yield* Clock.currentTimeMillis)
  const set = previous === undefined ? made : { ...made, notes: [...notes, ...compared(previous, made)] }
  if (plan.groups !== undefined) {
    yield* store.put(BackupKeys.groups(plan.backupId), [GroupsSnapshot.encode(plan.groups, plan.createdMillis)])
  }
  yield* store.put(BackupKeys.facts(plan.backupId), [SealedJson.seal(SetFacts, set)])
  yield* store
    .put(BackupKeys.manifest(plan.backupId), json(RunState.manifest(plan, state)), { ifAbsent: true })
    .pipe(
      Effect.catchIf(
        Documents.isExists,
        () => new CatalogueError({ reason: new AttemptSuperseded({ backupId: plan.backupId, attempt }) })
      )
    )
  // Removed while this attempt stood still: a manifest alone is no backup.
  yield* assertStillOurs(store, plan.backupId, attempt).pipe(
    Effect.tapError(() => store.delete(BackupKeys.manifest(plan.backupId)))
  )
  return set
})

/** Fails where the backup of this attempt was removed meanwhile, or is being removed: its claim is gone, or a tombstone stands. */
const assertStillOurs = Effect.fnUntraced(function* (store: ObjectStoreShape, backupId: string, attempt: number) {
  const isThere = (key: ObjectKey) =>
    store.head(key).pipe(
      Effect.as(true),
      Effect.catchIf(Documents.isNotFound, () => Effect.succeed(false))
    )
  const isOurs = (yield* isThere(BackupKeys.claim(backupId))) && !(yield* isThere(BackupKeys.tombstone(backupId)))
  if (!isOurs) return yield* new CatalogueError({ reason: new AttemptSuperseded({ backupId, attempt }) })
})
