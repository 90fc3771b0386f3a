import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import * as JobFacts from "../../src/operator/jobs/JobFacts.ts"
import { jobs, pods } from "../../src/kubernetes/Kind.ts"
import { hourly, outcomes, runsAmong, setsIn, story, world } from "./world.ts"

const namespace = "kafka-backup"
const manyTopics = { topics: ["*"], job: { parallelism: 3 } }

/** As `world`, with records in every partition of `orders`, and in `payments`. */
const filled = Effect.gen(function* () {
  const it = yield* world
  yield* it.cluster.createTopic("payments", { partitions: 2 })
  const records = (from: number) =>
    Array.from({ length: 20 }, (_, n) => ({ key: `k${from + n}`, value: `v${from + n}` }))
  for (let from = 0; from < 400; from += 20) {
    yield* it.cluster.produce("orders", 1, records(from))
    yield* it.cluster.produce("payments", 0, records(from))
    yield* it.cluster.produce("payments", 1, records(from))
  }
  return it
})

const podsOf = Effect.fnUntraced(function* ({ behind }: Effect.Success<typeof world>["kubernetes"]) {
  const { items } = yield* behind.list(pods, { namespace })
  return items.map((pod) => ({ shard: JobFacts.shard(pod), phase: pod.status?.phase, pod }))
})

describe("a KafkaBackup whose job.parallelism is 3", () => {
  story(
    "is backed up by three pods at once, and has one run, one backup and one entry of history",
    Effect.gen(function* () {
      const { advance, backups, kubectl, kubernetes, start } = yield* filled
      yield* start()
      yield* kubectl.apply(hourly("sharded", manyTopics))
      yield* advance("15 minutes")
      const status = yield* kubectl.status("sharded")
      assert.strictEqual(status.phase, "Completed")
      assert.deepStrictEqual(outcomes(status), ["success"])
      assert.strictEqual(status.lastBackupRecords, 1300)
      assert.strictEqual(status.backupHistory?.[0]?.records, 1300)
      assert.deepStrictEqual(setsIn(yield* backups.keys), ["sharded-20261125-120000"])
      const [job, ...others] = runsAmong((yield* kubernetes.behind.list(jobs, { namespace })).items)
      assert.lengthOf(others, 0)
      assert.deepInclude(job!.spec, {
        completionMode: "Indexed",
        completions: 3,
        parallelism: 3,
        backoffLimit: 9,
        backoffLimitPerIndex: 3,
        maxFailedIndexes: 0
      })
      assert.deepStrictEqual((yield* podsOf(kubernetes)).map(({ phase, shard }) => [shard, phase]).toSorted(), [
        [0, "Succeeded"],
        [1, "Succeeded"],
        [2, "Succeeded"]
      ])
    })
  )

  story(
    "replaces a pod that is evicted, alone, and goes on where it was",
    Effect.gen(function* () {
      const { advance, backups, kubectl, kubernetes, start } = yield* filled
      yield* start()
      yield* kubectl.apply(hourly("sharded", { ...manyTopics, rateLimit: { recordsPerSecond: 6 } }))
      yield* advance("11 minutes")
      const running = (yield* podsOf(kubernetes)).filter(({ phase }) => phase === "Running")
      assert.deepStrictEqual(running.map(({ shard }) => shard).toSorted(), [0, 1, 2])
      const victim = running.find(({ shard }) => shard === 1)!
      yield* kubernetes.node.evict({ namespace, name: victim.pod.metadata.name })
      yield* advance("10 minutes")
      const status = yield* kubectl.status("sharded")
      assert.deepStrictEqual(outcomes(status), ["success"])
      assert.strictEqual(status.lastBackupRecords, 1300)
      assert.deepStrictEqual(setsIn(yield* backups.keys), ["sharded-20261125-120000"])
      const shards = (yield* podsOf(kubernetes)).map(({ phase, shard }) => `${shard} ${phase}`).toSorted()
      assert.deepStrictEqual(shards, ["0 Succeeded", "1 Failed", "1 Succeeded", "2 Succeeded"])
    })
  )

  story(
    "adds up in its status how far its shards are",
    Effect.gen(function* () {
      const { advance, kubectl, start } = yield* filled
      yield* start()
      yield* kubectl.apply(hourly("sharded", { ...manyTopics, rateLimit: { recordsPerSecond: 6 } }))
      yield* advance("11 minutes")
      const seen: Array<number> = []
      for (let minute = 0; minute < 3; minute++) {
        const { progress } = yield* kubectl.status("sharded")
        assert.strictEqual(progress?.partitionsTotal, 4)
        assert.strictEqual(progress?.recordsTotal, 1300)
        seen.push(progress?.percent ?? -1)
        yield* advance("50 seconds")
      }
      assert.isAbove(seen[0]!, 0)
      assert.isAbove(seen[1]!, seen[0]!)
      assert.isAbove(seen[2]!, seen[1]!)
      yield* advance("10 minutes")
      assert.isUndefined((yield* kubectl.status("sharded")).progress?.outage)
      assert.deepStrictEqual(outcomes(yield* kubectl.status("sharded")), ["success"])
    })
  )

  story(
    "fails as one run, with the reason of the shard that failed, when no repetition can help",
    Effect.gen(function* () {
      const { advance, cluster, kubectl, start } = yield* filled
      yield* start()
      yield* kubectl.apply(hourly("sharded", { ...manyTopics, topics: ["orders", "nowhere"] }))
      yield* advance("15 minutes")
      const status = yield* kubectl.status("sharded")
      assert.deepStrictEqual(outcomes(status), ["failed"])
      assert.strictEqual(status.backupHistory?.[0]?.reason, "TopicMissing")
      yield* cluster.createTopic("nowhere", { partitions: 1 })
      yield* advance("60 minutes")
      assert.deepStrictEqual(outcomes(yield* kubectl.status("sharded")), ["success", "failed"])
    })
  )

  story(
    "makes the same backup as one pod",
    Effect.gen(function* () {
      const { advance, kubectl, start } = yield* filled
      yield* start()
      yield* kubectl.apply(hourly("alone", { topics: ["*"] }))
      yield* kubectl.apply(hourly("sharded", manyTopics))
      yield* advance("15 minutes")
      const [alone, sharded] = [yield* kubectl.status("alone"), yield* kubectl.status("sharded")]
      assert.deepStrictEqual(
        [sharded.lastBackupRecords, sharded.backupHistory?.[0]?.addedRecords],
        [alone.lastBackupRecords, alone.backupHistory?.[0]?.addedRecords]
      )
    })
  )
})
