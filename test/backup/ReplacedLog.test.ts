import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Stream } from "effect"
import { isDeepStrictEqual } from "node:util"
import { BackupId } from "../../src/identity/BackupId.ts"
import { BrokerUnreachable, KafkaAuthorizationFailed, KafkaError } from "../../src/kafka/KafkaError.ts"
import type { KafkaSourceShape } from "../../src/kafka/KafkaSource.ts"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import type { SetFacts } from "../../src/manifest/SetFacts.ts"
import type { ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { random } from "../segment/arbitraryRecords.ts"
import { aRequest, assertHoldsAll, attempt, dyingAt, layer, storedRecords, world } from "./world.ts"

/*
 * An unclean leader election loses records of a log, and others get their offsets. A backup is of the one log or of the
 * other, never of both.
 */

const slots = ["2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z"] as const
const ids = [BackupId.make("nightly-20261123-120000"), BackupId.make("nightly-20261123-130000")] as const
const incremental = (slot: string) => aRequest(slot, { incremental: {} })

const write = (cluster: InMemoryCluster, log: string, batches: number) =>
  Effect.forEach(
    Array.from({ length: batches }, (_, batch) => batch),
    (batch) =>
      cluster.produce(
        "orders",
        0,
        Array.from({ length: 5 }, (_, i) => ({ key: `k-${i}`, value: `${log} ${batch} ${i} `.repeat(30) }))
      ),
    { discard: true }
  )

/** Loses what begins at `offset`, and grows again beyond where the log ended, by records of the same lengths. */
const replace = (cluster: InMemoryCluster, offset: number, batches = 40) =>
  Effect.andThen(cluster.truncate("orders", 0, offset), write(cluster, "second", batches))

/** Does something to the cluster when the answer number `n` (from 1) of a partition has been delivered; once. */
const after = (n: number, happening: Effect.Effect<unknown>) => {
  let answers = 0
  return (source: KafkaSourceShape): KafkaSourceShape => ({
    ...source,
    read: (request) =>
      source
        .read(request)
        .pipe(Stream.tap(() => Effect.suspend(() => (++answers === n ? Effect.asVoid(happening) : Effect.void))))
  })
}

/** Counts the questions for epochs. */
const counted =
  (asked: Array<number>) =>
  (source: KafkaSourceShape): KafkaSourceShape => ({
    ...source,
    lineage: (places) =>
      Effect.suspend(() => {
        asked.push(places.length)
        return source.lineage(places)
      })
  })

/** The source cannot say where epochs end. */
const unasked =
  (error: KafkaError) =>
  (source: KafkaSourceShape): KafkaSourceShape => ({ ...source, lineage: () => Effect.fail(error) })

const line = ({ offset, value }: { readonly offset: number; readonly value: Uint8Array | null }) =>
  `${offset} ${Buffer.from(value ?? [])
    .toString()
    .slice(0, 20)}`

const partitionOf = (facts: SetFacts) => facts.topics.find(({ name }) => name === "orders")!.partitions[0]!

/** Of which logs the records of the backup are, in the order of their offsets. */
const logsOf = Effect.fnUntraced(function* (backupId: string) {
  const { store } = yield* world
  const records = yield* storedRecords(store, backupId, "orders", 0)
  return new Set(
    records.map(
      ({ value }) =>
        Buffer.from(value ?? [])
          .toString()
          .split(" ", 1)[0]!
    )
  )
})

/** What a backup up to `until` must hold: the log as it is now. */
const assertHoldsNow = Effect.fnUntraced(function* (facts: SetFacts) {
  const { cluster, store } = yield* world
  const { until } = partitionOf(facts)
  const now = (yield* cluster.committed("orders", 0)).filter(({ offset }) => offset < until)
  const held = yield* storedRecords(store, facts.backupId, "orders", 0)
  assert.deepStrictEqual(held.map(line), now.map(line))
})

/** A run that was killed when part of the log was durable, and recorded. */
const killedRun = Effect.fnUntraced(function* (slot: string = slots[0]) {
  const { store } = yield* world
  let checkpoints = 0
  const dying: ObjectStoreShape = {
    ...store,
    put: (key, pieces, options) =>
      Effect.suspend(() => {
        if (checkpoints >= 2) return Effect.die("killed")
        if (key.includes("/checkpoint/")) checkpoints++
        return store.put(key, pieces, options)
      })
  }
  const request = { ...incremental(slot), checkpointIntervalMillis: 400, recordsPerSecond: 150 }
  assert.isTrue(Exit.isFailure(yield* Effect.exit(attempt(request, { store: dying }))))
  assert.strictEqual(checkpoints, 2)
})

describe("a log that an unclean election replaced while a run was made", () => {
  it.live("is read again from its start by the attempt that resumes, which says so", () =>
    Effect.gen(function* () {
      const { cluster } = yield* world
      yield* cluster.createTopic("orders")
      yield* write(cluster, "first", 40)
      yield* killedRun()
      // Below what is durable.
      yield* replace(cluster, 5)
      const { facts } = yield* attempt(incremental(slots[0]))
      yield* assertHoldsNow(facts)
      assert.include(facts.notes.join("\n"), "an unclean leader election replaced records of orders[0]")
    }).pipe(Effect.provide(layer))
  )

  it.live("is gone on with where only what was not durable yet was replaced", () =>
    Effect.gen(function* () {
      const { cluster } = yield* world
      yield* cluster.createTopic("orders")
      yield* write(cluster, "first", 40)
      yield* killedRun()
      yield* replace(cluster, 195)
      const { facts } = yield* attempt(incremental(slots[0]))
      yield* assertHoldsNow(facts)
      assert.deepStrictEqual([...(yield* logsOf(ids[0]))], ["first", "second"], "the log is one of both")
      assert.notInclude(facts.notes.join("\n"), "unclean")
    }).pipe(Effect.provide(layer))
  )

  it.live("is read again from its start by the same run, whenever it happens", () =>
    Effect.gen(function* () {
      for (let n = 1; ; n++) {
        const isOver = yield* Effect.gen(function* () {
          const { cluster } = yield* world
          yield* cluster.createTopic("orders")
          yield* write(cluster, "first", 20)
          let happened = false
          const happening = Effect.andThen(
            Effect.sync(() => (happened = true)),
            replace(cluster, 5, 30)
          )
          const { facts } = yield* attempt(incremental(slots[0]), { kafka: after(n, happening) })
          const logs = yield* logsOf(ids[0])
          const isOld = logs.size === 1 && logs.has("first")
          // What was answered already when it happened is of the first log: then the whole backup is.
          if (!isOld) yield* assertHoldsNow(facts)
          return !happened || isOld
        }).pipe(Effect.provide(layer))
        if (isOver) {
          assert.isAbove(n, 4)
          break
        }
      }
    })
  )

  it.live("is read in full where it was replaced below what an earlier backup stands for, after the plan", () =>
    Effect.gen(function* () {
      const { cluster } = yield* world
      yield* cluster.createTopic("orders")
      yield* write(cluster, "first", 20)
      yield* attempt(incremental(slots[0]))
      yield* write(cluster, "first", 10)
      let isReplaced = false
      const late = (source: KafkaSourceShape): KafkaSourceShape => ({
        ...source,
        read: (request) =>
          Stream.unwrap(
            Effect.suspend(() => {
              // Planning looks at the first record, too.
              if (request.from === 0) return Effect.succeed(source.read(request))
              const happening = isReplaced ? Effect.void : replace(cluster, 5, 40)
              isReplaced = true
              return Effect.as(happening, source.read(request))
            })
          )
      })
      const { facts } = yield* attempt(incremental(slots[1]), { kafka: late })
      assert.strictEqual(partitionOf(facts).full, "LogReplaced")
      yield* assertHoldsNow(facts)
    }).pipe(Effect.provide(layer))
  )

  it.live("is read in full where it was replaced below what an earlier backup stands for, between two attempts", () =>
    Effect.gen(function* () {
      const { cluster } = yield* world
      yield* cluster.createTopic("orders")
      yield* write(cluster, "first", 20)
      yield* attempt(incremental(slots[0]))
      yield* write(cluster, "first", 30)
      yield* killedRun(slots[1])
      yield* replace(cluster, 5, 60)
      const { facts } = yield* attempt(incremental(slots[1]))
      assert.strictEqual(partitionOf(facts).full, "LogReplaced")
      assert.include(facts.notes.join("\n"), "an unclean leader election replaced records of orders[0]")
      yield* assertHoldsNow(facts)
    }).pipe(Effect.provide(layer))
  )

  it.live("is left to the read where it ends below the end of the plan: nothing that is durable is given up", () =>
    Effect.gen(function* () {
      const { cluster } = yield* world
      yield* cluster.createTopic("orders")
      yield* write(cluster, "first", 40)
      yield* killedRun()
      yield* replace(cluster, 5, 2)
      const short = yield* Effect.exit(attempt(incremental(slots[0])))
      assert.include(JSON.stringify(short), "LogTruncated")
      // Grown since.
      yield* write(cluster, "second", 40)
      const { facts } = yield* attempt(incremental(slots[0]))
      yield* assertHoldsNow(facts)
    }).pipe(Effect.provide(layer))
  )
})

describe("a leader that was elected cleanly", () => {
  it.live("costs one question, and nothing is read again", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* cluster.createTopic("orders")
      for (let leader = 0; leader < 3; leader++) {
        yield* write(cluster, `leader-${leader}`, 10)
        yield* cluster.moveLeader("orders", 0)
      }
      const asked: Array<number> = []
      const { attempt: number, facts } = yield* attempt(aRequest(slots[0]), { kafka: counted(asked) })
      assert.deepStrictEqual([asked, number, facts.notes], [[1, 1], 1, []])
      yield* assertHoldsAll(cluster, store, ids[0], { orders: 1 })
    }).pipe(Effect.provide(layer))
  )

  it.live("is not asked where brokers cannot say it, and a note says what that means", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* cluster.createTopic("orders")
      yield* write(cluster, "first", 20)
      yield* cluster.moveLeader("orders", 0)
      yield* write(cluster, "first", 10)
      const denied = new KafkaAuthorizationFailed({ resource: "topic orders", missing: "Describe" })
      const refused = unasked(new KafkaError({ operation: "offsets", reason: denied }))
      const { facts } = yield* attempt(aRequest(slots[0]), { kafka: refused })
      yield* assertHoldsAll(cluster, store, ids[0], { orders: 1 })
      assert.include(facts.notes.join("\n"), "the brokers do not say whether logs are still the same")
      const gone = new BrokerUnreachable({ detail: "down", advice: "wait", transient: true })
      const away = unasked(new KafkaError({ operation: "offsets", reason: gone }))
      const failed = yield* Effect.exit(attempt(aRequest(slots[1]), { kafka: away }))
      assert.include(JSON.stringify(failed), "BrokerUnreachable")
    }).pipe(Effect.provide(layer))
  )
})

describe("a backup, whatever happens to the leaders of a log and to the run", () => {
  it.live(
    "is of one log",
    () =>
      Effect.gen(function* () {
        let replacements = 0
        for (let seed = 1; seed <= 25; seed++) {
          yield* Effect.gen(function* () {
            const next = random(seed)
            const below = (n: number) => Math.floor(next() * n)
            const { cluster, store } = yield* world
            yield* cluster.createTopic("orders")
            yield* write(cluster, "log-0", 20)
            let log = 0
            /** Each log as it was when it was longest. */
            const logs: Array<ReadonlyArray<string>> = []
            const remember = Effect.map(cluster.committed("orders", 0), (found) => void logs.push(found.map(line)))
            const replaceSome = Effect.suspend(() => {
              log++
              const cut = cluster.truncate("orders", 0, below(100))
              return Effect.andThen(Effect.andThen(remember, cut), write(cluster, `log-${log}`, 20))
            })
            const disturbed = (source: KafkaSourceShape): KafkaSourceShape => ({
              ...source,
              read: (request) =>
                source.read(request).pipe(
                  Stream.tap(() =>
                    Effect.suspend(() => {
                      const n = below(12)
                      if (n === 0) return Effect.asVoid(replaceSome)
                      return n === 1 ? cluster.moveLeader("orders", 0) : Effect.void
                    })
                  )
                )
            })
            for (let tries = 0; tries < 20; tries++) {
              const at = 10 + below(20)
              const killed = tries < 4 ? dyingAt(store, at, "after").store : store
              const quiet = tries > 10
              const exit = yield* Effect.exit(
                attempt(
                  { ...aRequest(slots[0]), checkpointIntervalMillis: 200 },
                  { store: killed, ...(quiet ? {} : { kafka: disturbed }) }
                )
              )
              if (Exit.isFailure(exit)) continue
              yield* remember
              const { until } = partitionOf(exit.value.facts)
              const held = (yield* storedRecords(store, ids[0], "orders", 0)).map(line)
              const isOfOne = logs.some((lines) => isDeepStrictEqual(lines.slice(0, until), held))
              assert.isTrue(isOfOne, `seed ${seed}: ${logs.length} logs`)
              replacements += log
              break
            }
          }).pipe(Effect.provide(layer))
        }
        assert.isAbove(replacements, 25)
      }),
    120_000
  )
})
