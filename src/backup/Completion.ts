import { Clock, Effect } from "effect"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import { AttemptSuperseded, CatalogueError } from "../manifest/CatalogueError.ts"
import * as Attempts from "../manifest/Attempts.ts"
import * as Documents from "../manifest/Documents.ts"
import * as GroupsSnapshot from "../manifest/GroupsSnapshot.ts"
import type { RunPlan } from "../manifest/RunPlan.ts"
import * as RunState from "../manifest/RunState.ts"
import * as Seal from "../manifest/Seal.ts"
import * as SealedJson from "../manifest/SealedJson.ts"
import { addedHeaders, SetFacts } from "../manifest/SetFacts.ts"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import { isReason } from "../storage/ObjectStoreError.ts"
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

const isThere = (store: ObjectStoreShape, key: ObjectKey) =>
  store.head(key).pipe(
    Effect.as(true),
    Effect.catchIf(isReason("ObjectNotFound"), () => Effect.succeed(false))
  )

const superseded = (backupId: string, attempt: number, by?: number) =>
  new CatalogueError({ reason: new AttemptSuperseded({ backupId, attempt, ...(by === undefined ? {} : { by }) }) })

/** Fails where the backup was removed meanwhile, or is being removed: its claim is gone, or a tombstone stands. */
const assertStillOurs = Effect.fnUntraced(function* (store: ObjectStoreShape, backupId: string, attempt: number) {
  const isOurs =
    (yield* isThere(store, BackupKeys.claim(backupId))) && !(yield* isThere(store, BackupKeys.tombstone(backupId)))
  if (!isOurs) return yield* superseded(backupId, attempt)
})

/**
 * Writes the facts, which belong to one manifest and must never be exchanged under another's. Those of an earlier attempt
 * that died before its manifest make room; those of a later attempt, or of a committed backup, do not.
 */
const placeFacts = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  backupId: string,
  attempt: number,
  bytes: Uint8Array
) {
  const key = BackupKeys.facts(backupId)
  for (;;) {
    const isWritten = yield* store.put(key, [bytes], { ifAbsent: true }).pipe(
      Effect.as(true),
      Effect.catchIf(isReason("ObjectExists"), () => Effect.succeed(false))
    )
    if (isWritten) return
    if (yield* isThere(store, BackupKeys.manifest(backupId))) return yield* superseded(backupId, attempt)
    const there = yield* Documents.readIfThere(store, key, SetFacts).pipe(
      Effect.catchTag("CatalogueError", () => Effect.succeed(undefined)) // damaged: nobody's any more
    )
    const by = there?.attempt ?? 0
    if (by >= attempt) return yield* superseded(backupId, attempt, by)
    yield* store.delete(key)
  }
})

/** The documents that the manifest will name, with their SHA-256. */
const documents = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  { backupId }: RunPlan,
  attempt: number,
  written: Readonly<Record<string, Uint8Array>>
) {
  const stored = [
    BackupKeys.claim(backupId),
    BackupKeys.plan(backupId),
    ...Array.from({ length: attempt }, (_, n) => BackupKeys.attempt(backupId, n + 1))
  ]
  const name = (key: ObjectKey) => key.slice(backupId.length + 1)
  const read = yield* Effect.forEach(stored, (key) =>
    store.get(key).pipe(
      Effect.map((bytes) => [[name(key), Seal.sha256(bytes)] as const]),
      Effect.catchIf(isReason("ObjectNotFound"), () => Effect.succeed([]))
    )
  )
  const own = Object.entries(written).map(([key, bytes]) => [name(ObjectKey.make(key)), Seal.sha256(bytes)] as const)
  return Object.fromEntries([...read.flat(), ...own])
})

/**
 * Proves the set and commits it. `manifest.json` is written last and only if absent, after every partition reached its
 * end and every segment was found as it was put; it and the facts seal each other and all other documents. What the set
 * lacks of the `previous` backup is among its notes. Whoever finds a manifest there already lost a race it may lose.
 */
export const commit = Effect.fn("Completion.commit")(function* (
  store: ObjectStoreShape,
  plan: RunPlan,
  attempt: number,
  state: RunState.RunState,
  notes: ReadonlyArray<string>,
  previous: SetFacts | undefined
) {
  const { backupId } = plan
  const wrong = contradictions(plan, state)
  const problems = wrong.length > 0 ? wrong : (yield* lostSegments(store, plan, state)).map((lost) => lost.detail)
  // What another attempt finished, or somebody removed, is not there any more: that is no fault of the store.
  yield* Attempts.assertLatest(store, backupId, attempt)
  yield* assertStillOurs(store, backupId, attempt)
  if (problems.length > 0) return yield* new RunError({ reason: new NotProven({ problems }) })

  const manifest = RunState.manifest(plan, state)
  const made = facts(plan, state, notes, yield* Clock.currentTimeMillis)
  const set: SetFacts = {
    ...made,
    attempt,
    manifestSha256: Seal.manifestSha256(manifest),
    notes: previous === undefined ? notes : [...notes, ...compared(previous, made)]
  }
  const sealed = SealedJson.seal(SetFacts, set)
  const written: Record<string, Uint8Array> = { [BackupKeys.facts(backupId)]: sealed }
  if (plan.groups !== undefined) {
    const snapshot = GroupsSnapshot.encode(plan.groups, plan.createdMillis)
    yield* store.put(BackupKeys.groups(backupId), [snapshot])
    written[BackupKeys.groups(backupId)] = snapshot
  }
  yield* placeFacts(store, backupId, attempt, sealed)
  const complete = { ...manifest, kb_documents: yield* documents(store, plan, attempt, written) }
  yield* store
    .put(BackupKeys.manifest(backupId), [Buffer.from(Seal.manifestText(complete))], { ifAbsent: true })
    .pipe(Effect.catchIf(isReason("ObjectExists"), () => superseded(backupId, attempt)))
  // Removed, or taken over, while this attempt stood still: a manifest alone is no backup.
  yield* assertCommitted(store, backupId, attempt, sealed).pipe(
    Effect.tapError((error) =>
      error._tag === "CatalogueError" ? store.delete(BackupKeys.manifest(backupId)) : Effect.void
    )
  )
  return set
})

/** After the manifest: the folder is still this run's, and the facts beside it are those of this attempt. */
const assertCommitted = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  backupId: string,
  attempt: number,
  sealed: Uint8Array
) {
  yield* assertStillOurs(store, backupId, attempt)
  const found = yield* store.get(BackupKeys.facts(backupId)).pipe(
    Effect.map(Seal.sha256),
    Effect.catchIf(isReason("ObjectNotFound"), () => Effect.succeed(undefined))
  )
  if (found !== Seal.sha256(sealed)) return yield* superseded(backupId, attempt)
})
