import { Effect, Exit, Stream } from "effect"
import * as RetentionPass from "../../../src/backup/RetentionPass.ts"
import * as WholeRemoval from "../../../src/backup/WholeRemoval.ts"
import * as Catalogue from "../../../src/manifest/Catalogue.ts"
import { ObjectKey, type ObjectStoreShape } from "../../../src/storage/ObjectStore.ts"
import { random } from "../../segment/arbitraryRecords.ts"
import { aRequest, attempt, dyingAt, storedRecords, world } from "../world.ts"

/*
 * Histories of one resource: topics that live, runs that die, retention that is cut off. After each step every backup
 * that counts is read back and compared with what Kafka once held.
 */

/** One step; the numbers choose among what is there, so that a history is valid whichever steps are left out of it. */
export interface Step {
  readonly action: Action
  readonly a: number
  readonly b: number
}

const weights = {
  produce: 10,
  transact: 3,
  run: 9,
  runKilled: 5,
  resume: 4,
  compact: 3,
  dropTombstones: 2,
  deleteRecords: 2,
  recreate: 1,
  grow: 1,
  loseTail: 2,
  prune: 3,
  pruneKilled: 3,
  runFull: 1
} as const
export type Action = keyof typeof weights

export const history = (seed: number, length: number): ReadonlyArray<Step> => {
  const next = random(seed)
  const all = (Object.keys(weights) as ReadonlyArray<Action>).flatMap((action) =>
    Array.from({ length: weights[action] }, () => action)
  )
  return Array.from({ length }, () => ({
    action: all[Math.floor(next() * all.length)]!,
    a: Math.floor(next() * 1000),
    b: Math.floor(next() * 1000)
  }))
}

/** What Kafka ever held of one partition of one incarnation of a topic. */
interface Known {
  /** Where the log begins, as far as somebody moved it. */
  logStart: number
  /** Text of each committed record that was ever there, by offset: an unclean election puts others at the same one. */
  readonly ever: Map<number, ReadonlySet<string>>
}

interface Expected {
  readonly topic: string
  readonly partition: number
  readonly isCompacted: boolean
  /** A segment that reaches below it is kept whole, so a backup may hold records from before it. */
  readonly logStart: number
  /** Committed records when the backup was made. */
  readonly now: ReadonlyMap<number, string>
  /** Those, and others that compaction or deletion removed since. */
  readonly ever: ReadonlyMap<number, ReadonlySet<string>>
  /** The same when the run went on: a backup is of the one log or of the other, never of both. */
  readonly later?: ReadonlyMap<number, ReadonlySet<string>>
  /** The last value of each key; absent where Kafka went on between the plan and the end of the run. */
  readonly values: ReadonlyMap<string, string | null> | undefined
}

const hex = (bytes: Uint8Array | string | null | undefined): string | null =>
  bytes === null || bytes === undefined ? null : Buffer.from(bytes).toString("hex")

const line = (record: {
  readonly key?: Uint8Array | string | null | undefined
  readonly value?: Uint8Array | string | null | undefined
  readonly timestamp?: number | bigint | undefined
}): string => JSON.stringify([hex(record.key), hex(record.value), String(record.timestamp)])

const topics = ["events", "state", "fleeting"] as const
const configs = {
  events: {},
  state: { "cleanup.policy": "compact" },
  fleeting: { "cleanup.policy": "compact", "delete.retention.ms": "0" }
} as const

const foreign = [
  ["nightly-notes.txt", "a file of somebody else"],
  ["nightly-20200101-000000x/manifest.json", "{}"],
  ["other/data.bin", "1234"]
] as const

const owner = aRequest("2026-01-01T00:00:00Z").identity.owner

/** The lock of a process that died has expired by the time of the next step. */
const expireLocks = (store: ObjectStoreShape) =>
  store.list("_kafka-backup/locks/").pipe(Stream.runForEach(({ key }) => store.delete(key)))

export interface Options {
  readonly isIncremental: boolean
  readonly isJoining: boolean
}

/** Carries the history out. Gives what went wrong, with the number of the step; empty where every law held. */
export const play = Effect.fnUntraced(function* (steps: ReadonlyArray<Step>, { isIncremental, isJoining }: Options) {
  const { cluster, memory, store } = yield* world
  const problems: Array<string> = []
  const partitions = new Map<string, number>(topics.map((topic) => [topic, topic === "events" ? 2 : 1]))
  const known = new Map<string, Known>()
  const knownOf = (topic: string, partition: number) => {
    const key = `${topic}/${partition}`
    const found = known.get(key) ?? { logStart: 0, ever: new Map<number, ReadonlySet<string>>() }
    known.set(key, found)
    return found
  }
  const expected = new Map<string, ReadonlyArray<Expected>>()
  let clock = Date.parse("2026-01-01T00:00:00Z")
  let record = 0
  let unfinished: string | undefined

  for (const topic of topics) {
    yield* cluster.createTopic(topic, { partitions: partitions.get(topic)!, configs: configs[topic] })
  }
  for (const [key, text] of foreign) yield* store.put(ObjectKey.make(key), [Buffer.from(text)])

  const learn = Effect.forEach(
    [...partitions].flatMap(([topic, count]) => Array.from({ length: count }, (_, p) => [topic, p] as const)),
    ([topic, partition]) =>
      Effect.map(cluster.committed(topic, partition), (found) => {
        const { ever } = knownOf(topic, partition)
        for (const one of found) ever.set(one.offset, new Set([...(ever.get(one.offset) ?? []), line(one)]))
        return { topic, partition, found }
      })
  )

  /** What a run that is planned now must hold. */
  const remember = Effect.fnUntraced(function* (backupId: string) {
    const found = yield* learn
    expected.set(
      backupId,
      found.map(({ found: records, partition, topic }) => ({
        topic,
        partition,
        isCompacted: topic !== "events",
        logStart: knownOf(topic, partition).logStart,
        now: new Map(records.map((one) => [one.offset, line(one)])),
        ever: new Map(knownOf(topic, partition).ever),
        values: new Map(records.flatMap((one) => (one.key === null ? [] : [[hex(one.key)!, hex(one.value)] as const])))
      }))
    )
  })

  /** What a run that was planned before must hold if it goes on now: what is still there of what was there. */
  const goesOn = Effect.fnUntraced(function* (backupId: string) {
    const found = yield* learn
    expected.set(
      backupId,
      (expected.get(backupId) ?? []).map((law) => {
        const records = found.find(({ partition, topic }) => topic === law.topic && partition === law.partition)?.found
        const left = new Map((records ?? []).map((one) => [one.offset, line(one)]))
        return {
          ...law,
          now: new Map([...law.now].filter(([offset, text]) => left.get(offset) === text)),
          later: new Map(knownOf(law.topic, law.partition).ever),
          values: undefined
        }
      })
    )
  })

  /** The store says what is a backup; of each, every record is read and compared. */
  const check = Effect.fnUntraced(function* (at: string) {
    const entries = yield* Catalogue.entries(store)
    for (const entry of entries) {
      if (entry._tag !== "Complete") continue
      const laws = expected.get(entry.backupId)
      if (laws === undefined) {
        problems.push(`${at}: nobody knows of ${entry.backupId}`)
        continue
      }
      for (const law of laws) {
        const place = `${at}: ${entry.backupId} ${law.topic}[${law.partition}]`
        const read = yield* Effect.exit(storedRecords(store, entry.backupId, law.topic, law.partition))
        if (Exit.isFailure(read)) {
          problems.push(`${place} cannot be read: ${String(read.cause).split("\n", 1)[0]}`)
          continue
        }
        const views = law.later === undefined ? [law.ever] : [law.ever, law.later]
        const strange: Array<number | undefined> = views.map(() => undefined)
        let before = -1
        const values = new Map<string, string | null>()
        const offsets = new Set<number>()
        for (const one of read.value) {
          if (one.offset <= before) problems.push(`${place}: offset ${one.offset} follows ${before}`)
          before = one.offset
          offsets.add(one.offset)
          for (const [number, view] of views.entries()) {
            if (view.get(one.offset)?.has(line(one)) !== true) strange[number] ??= one.offset
          }
          if (one.key !== null && one.offset >= law.logStart) values.set(hex(one.key)!, hex(one.value))
        }
        if (!strange.includes(undefined)) {
          problems.push(
            `${place}: offset ${Math.min(...strange.flatMap((at) => at ?? []))} holds what Kafka never held`
          )
        }
        for (const [offset] of law.now) if (!offsets.has(offset)) problems.push(`${place} lacks offset ${offset}`)
        if (!law.isCompacted || law.values === undefined) continue
        for (const key of new Set([...values.keys(), ...law.values.keys()])) {
          const [is, should] = [values.get(key) ?? null, law.values.get(key) ?? null]
          if (is !== should) problems.push(`${place}: key ${key} has value ${is} instead of ${should}`)
        }
      }
    }
    for (const [key, text] of foreign) {
      const bytes = yield* Effect.exit(store.get(ObjectKey.make(key)))
      if (Exit.isFailure(bytes) || Buffer.from(bytes.value).toString() !== text)
        problems.push(`${at}: ${key} was touched`)
    }
    return entries
  })

  const request = (slot: string, b: number, isFull = false) => ({
    ...aRequest(slot, b % 3 === 0 ? { retainedBackups: 2 + (b % 2) } : {}),
    ...(isIncremental && !isFull ? { incremental: {} } : {})
  })

  const attemptAt = Effect.fnUntraced(function* (
    slot: string,
    b: number,
    killedAt: number | undefined,
    isFull = false
  ) {
    const asked = request(slot, b, isFull)
    const dying = killedAt === undefined ? store : dyingAt(store, killedAt, b % 2 === 0 ? "before" : "after").store
    const backupId = `nightly-${slot.slice(0, 10).replaceAll("-", "")}-${slot.slice(11, 19).replaceAll(":", "")}`
    const isPlanned = Exit.isSuccess(yield* Effect.exit(store.head(ObjectKey.make(`${backupId}/plan.json`))))
    yield* isPlanned ? goesOn(backupId) : remember(backupId)
    // Every other history has segments large enough to be joined.
    const exit = yield* Effect.exit(attempt(asked, { store: dying, segmentBytes: isJoining ? 64 * 1024 : 4096 }))
    yield* expireLocks(store)
    if (Exit.isSuccess(exit)) unfinished = unfinished === slot ? undefined : unfinished
    return exit
  })

  const newSlot = () => {
    clock += 3_600_000
    return new Date(clock).toISOString().replace(".000", "")
  }

  const one = <A>(list: ReadonlyArray<A>, n: number): A => list[n % list.length]!

  for (const [index, { a, action, b }] of steps.entries()) {
    const at = `step ${index + 1} ${action}(${a}, ${b})`
    const topic = one(topics, a)
    const partition = b % partitions.get(topic)!
    const records = (count: number) =>
      Array.from({ length: count }, () => {
        record++
        const value = topic !== "events" && record % 4 === 0 ? null : `value ${record} `.repeat(1 + (record % 9))
        return { key: `key-${(record * 7) % 11}`, value, timestamp: 1_700_000_000_000 + record }
      })
    switch (action) {
      case "produce":
        yield* cluster.produce(topic, partition, records(1 + (b % 30)))
        break
      case "transact": {
        const transaction = yield* cluster.beginTransaction()
        yield* transaction.produce(topic, partition, records(1 + (b % 5)))
        yield* b % 2 === 0 ? transaction.commit : transaction.abort
        break
      }
      case "compact":
        yield* cluster.compact(one(["state", "fleeting"], a), 0, { emptied: b % 2 === 0 ? "keep" : "drop" })
        break
      case "dropTombstones":
        // Only where the topic allows it at once: for the other one a day would have to pass.
        yield* cluster.compact("fleeting", 0, { tombstones: "drop" })
        break
      case "deleteRecords": {
        const found = yield* cluster.committed(topic, partition)
        if (found.length === 0) break
        const { offset } = one(found, a + b)
        yield* cluster.deleteRecordsBefore(topic, partition, offset)
        knownOf(topic, partition).logStart = offset
        break
      }
      case "recreate":
        yield* learn
        yield* cluster.deleteTopic(topic)
        for (let p = 0; p < partitions.get(topic)!; p++) known.delete(`${topic}/${p}`)
        partitions.set(topic, topic === "events" ? 2 : 1)
        yield* cluster.createTopic(topic, { partitions: partitions.get(topic)!, configs: configs[topic] })
        break
      case "grow":
        if (topic === "events" && partitions.get(topic)! < 5) {
          partitions.set(topic, partitions.get(topic)! + 1)
          yield* cluster.addPartitions(topic, partitions.get(topic)!)
        }
        break
      case "loseTail": {
        yield* learn
        const found = yield* cluster.committed(topic, partition)
        if (found.length < 2) break
        const from = one(found.slice(Math.floor(found.length / 2)), a).offset
        yield* cluster.truncate(topic, partition, from)
        // Records that were cut off with their batch are gone, too.
        const left = new Set((yield* cluster.committed(topic, partition)).map(({ offset }) => offset))
        const { ever } = knownOf(topic, partition)
        const last = Math.max(-1, ...left)
        for (const offset of ever.keys()) if (offset > last) ever.delete(offset)
        break
      }
      case "run":
      case "runFull": {
        const slot = newSlot()
        const exit = yield* attemptAt(slot, b, undefined, action === "runFull")
        if (Exit.isFailure(exit)) problems.push(`${at}: ${String(exit.cause).slice(0, 300)}`)
        break
      }
      case "runKilled": {
        const slot = newSlot()
        const exit = yield* attemptAt(slot, b, 1 + (a % 60))
        if (Exit.isFailure(exit)) unfinished = slot
        break
      }
      case "resume":
        // What Kafka lost since the plan is a failure or a gap, never a wrong backup: the check says so.
        if (unfinished !== undefined) yield* attemptAt(unfinished, b, a % 3 === 0 ? 1 + (a % 60) : undefined)
        break
      case "prune":
        yield* RetentionPass.run(store, owner, { keep: 1 + (a % 3) })
        break
      case "pruneKilled":
        yield* Effect.exit(RetentionPass.run(dyingAt(store, 1 + (b % 40), "after").store, owner, { keep: 1 + (a % 3) }))
        break
    }
    if (action === "run" || action === "runFull" || action === "resume" || action.startsWith("prune")) {
      yield* check(at)
      if (problems.length > 0) return problems
    }
  }
  yield* WholeRemoval.run(store, owner)
  const left = (yield* memory.keys).filter(
    (key) => !foreign.some(([name]) => name === key) && !key.startsWith("_kafka-backup/")
  )
  if (left.length > 0) problems.push(`after the removal of everything there are ${left.length} objects: ${left[0]}`)
  return problems
})

/** The shortest history that still goes wrong, found by leaving out ever smaller parts. */
export const shrink = Effect.fnUntraced(function* <E, R>(
  steps: ReadonlyArray<Step>,
  fails: (steps: ReadonlyArray<Step>) => Effect.Effect<boolean, E, R>
) {
  let left = steps
  for (let size = Math.ceil(left.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < left.length;) {
      const shorter = [...left.slice(0, at), ...left.slice(at + size)]
      if (yield* fails(shorter)) left = shorter
      else at += size
    }
  }
  return left
})
