import { Effect, Stream } from "effect"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import type { BackupSet } from "../manifest/Catalogue.ts"
import * as Content from "../restore/Content.ts"
import type { Pace } from "../restore/Pace.ts"
import { offsetOf, lengthOf } from "../segment/records/recordFields.ts"
import * as RecordStreaming from "../segment/records/RecordStreaming.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import { DrillError, LiveDiffers } from "./DrillError.ts"
import type { DrillPlan, Piece } from "./DrillPlan.ts"
import { type Difference, LiveMatch } from "./LiveMatch.ts"

/*
 * Compares what a drill restored with the topics that were backed up, at the offsets that they still have. Both sides
 * are records in the form of the record stream. What the backup has is what the scratch topic has: that was proven.
 */

/** What was compared, and what could not be. */
export interface Compared {
  /** Records that both have. */
  readonly records: number
  /** Topics that are still those that were backed up: they were compared, whatever they still hold. */
  readonly topics: number
  /** Topics that were not compared, for people. */
  readonly notes: ReadonlyArray<string>
}

/** The topics of the backup that are still the same topic; the others as notes. */
const sameTopics = Effect.fnUntraced(function* (live: KafkaSourceShape, set: BackupSet, names: ReadonlyArray<string>) {
  const same = new Map<string, string>()
  const notes: Array<string> = []
  for (const found of yield* live.lookup(names)) {
    const name = found._tag === "Found" ? found.topic.name : found.name
    const was = set.facts?.topics.find((topic) => topic.name === name)?.topicId
    if (found._tag === "Missing") notes.push(`topic ${name} no longer exists: it was compared with the backup alone`)
    else if (found._tag === "Denied") {
      notes.push(`permission denied for topic ${name}: it was compared with the backup alone`)
    } else if (was === undefined || found.topic.topicId === undefined) {
      notes.push(
        `whether topic ${name} is the one that was backed up is not known: it was compared with the backup alone`
      )
    } else if (found.topic.topicId !== was) {
      notes.push(
        `the live topic ${name} is another one than the backup holds (its id is ${found.topic.topicId}, and was ${was}): nothing of it could be compared, and what was restored was compared with the backup alone`
      )
    } else same.set(name, was)
  }
  return { same, notes }
})

const lastOffsetOf = (run: Buffer): number => {
  let last = -1
  for (let at = 0; at < run.length; at += lengthOf(run, at)) last = offsetOf(run, at)
  return last
}

/** One run of segments and its part of the live log. */
const comparePiece = Effect.fnUntraced(function* (
  live: KafkaSourceShape,
  store: ObjectStoreShape,
  { restore }: DrillPlan,
  piece: Piece,
  topicId: string,
  pace: Pace
) {
  const { exact, from, gaps, partition, source: topic, until } = piece
  const place = [{ topic, partition }]
  const start = (yield* live.offsets(place, "logStart"))[0]?.offset ?? until
  const end = (yield* live.offsets(place, "lastStable"))[0]?.offset ?? from
  const match = new LiveMatch(gaps)
  const streamer = RecordStreaming.make(topic, partition)
  let next = Math.max(from, start)
  const last = Math.min(until, end)

  const differs = ({ detail, offset }: Difference) =>
    new DrillError({ reason: new LiveDiffers({ backupId: restore.backupId, topic, partition, offset, detail }) })

  const readLive = Effect.fnUntraced(function* (behind: number) {
    const to = Math.min(behind, last)
    if (next >= to) return
    yield* live.read({ topic, topicId, partition, from: next, until: to }).pipe(
      Stream.runForEach((fetched) =>
        Effect.gen(function* () {
          const before = match.equal
          yield* streamer
            .forEachRun(fetched.batches, next, to, (run) => match.live(run))
            .pipe(Effect.ensuring(Effect.sync(fetched.release)))
          if (match.difference !== undefined) return yield* differs(match.difference)
          yield* pace(match.equal - before, fetched.fetchedBytes)
        })
      )
    )
    next = to
  })

  const whole = restore.topics.find(({ source }) => source === topic)!
  const stored = { plan: restore, topic: { ...whole, renumbered: undefined }, partition: exact }
  if (next < last) {
    yield* Content.records(store, stored, next, last).pipe(
      Stream.runForEach((run) =>
        Effect.suspend(() => {
          match.backup(run)
          return readLive(lastOffsetOf(run) + 1)
        })
      )
    )
    match.backup(Buffer.alloc(0))
    yield* readLive(last)
  }
  return match.equal
})

/** Compares all pieces. Fails with `LiveDiffers` at the first difference. */
export const compare = Effect.fn("LiveComparison.compare")(function* (
  live: KafkaSourceShape,
  store: ObjectStoreShape,
  set: BackupSet,
  plan: DrillPlan,
  options: { readonly openPartitions: number; readonly pace: Pace }
) {
  const names = plan.restore.topics.map(({ source }) => source)
  const { notes, same } = yield* sameTopics(live, set, names)
  const gone = new Set<string>()
  const pieces = plan.pieces.filter(({ source }) => same.has(source))
  const compared = yield* Effect.forEach(
    pieces,
    (piece) => {
      const isGone = Effect.sync(() => {
        gone.add(piece.source)
        return 0
      })
      return comparePiece(live, store, plan, piece, same.get(piece.source)!, options.pace).pipe(
        Effect.catchReason("KafkaError", "TopicVanished", () => isGone),
        Effect.catchReason("KafkaError", "TopicRecreated", () => isGone)
      )
    },
    { concurrency: options.openPartitions }
  )
  const left = new Set(pieces.flatMap(({ source }, at) => (compared[at]! > 0 ? [source] : [])))
  const empty = [...same.keys()].filter((name) => !left.has(name) && !gone.has(name))
  return {
    records: compared.reduce((sum, records) => sum + records, 0),
    topics: [...same.keys()].filter((name) => !gone.has(name)).length,
    notes: [
      ...notes,
      ...[...gone].map((name) => `topic ${name} was deleted while it was compared`),
      ...empty.map(
        (name) =>
          `the live log of topic ${name} has no record left of those that were restored: it was compared with the backup alone`
      )
    ]
  } satisfies Compared
})
