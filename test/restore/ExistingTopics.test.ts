import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { KafkaAuthorizationFailed, KafkaError } from "../../src/kafka/KafkaError.ts"
import * as Attempt from "../../src/restore/Attempt.ts"
import * as Restore from "../../src/restore/Restore.ts"
import type { RestoreRequest } from "../../src/restore/RestoreRequest.ts"
import { aRestore, assertSame, backUp, inTime, layer, options, plain, restore, systems, worlds } from "./world.ts"

/** A backup of a topic with two partitions, and its target. */
const scene = Effect.gen(function* () {
  const { source, target } = yield* worlds
  yield* source.createTopic("orders", { partitions: 2 })
  for (let at = 0; at < 20; at++) {
    for (const partition of [0, 1]) {
      yield* source.produce("orders", partition, [{ key: `${at}`, value: "x".repeat(200), timestamp: 1000 }])
    }
  }
  return { source, target, backupId: yield* backUp }
})

const failure = (request: RestoreRequest) => Effect.flip(inTime(restore(request)))
const idOf = Effect.gen(function* () {
  const [found] = yield* (yield* systems).sink.lookup(["orders"])
  return found?._tag === "Found" ? found.topic.topicId : undefined
}).pipe(Effect.scoped)

describe("existingTopics: Recreate", () => {
  const recreate = (backupId: string, confirmed = ["orders"]) =>
    aRestore(backupId, { existingTopics: "recreate", confirmRecreate: new Set(confirmed) })

  const foreign = Effect.gen(function* () {
    const made = yield* scene
    const id = yield* made.target.createTopic("orders", { partitions: 3 })
    yield* made.target.produce("orders", 0, [{ key: "theirs", value: "1" }])
    return { ...made, id }
  })

  it.effect("deletes a topic that is listed, creates it with the partitions of the backup, and restores it", () =>
    Effect.gen(function* () {
      const { backupId, id, source, target } = yield* foreign
      yield* inTime(restore(recreate(backupId)))
      yield* assertSame(source, target, "orders", 2)
      const made = yield* idOf
      assert.notStrictEqual(made, id)
      // A repeat finds its own topic, whatever others wrote to it since.
      yield* target.produce("orders", 0, [{ key: "later", value: "2" }])
      const again = yield* inTime(restore(recreate(backupId)))
      assert.isTrue(again.wasProven)
      assert.strictEqual(yield* idOf, made)
    }).pipe(Effect.provide(layer))
  )

  it.effect("names partitions beforehand that are deleted and left out", () =>
    Effect.gen(function* () {
      const { backupId } = yield* foreign
      const only = { ...recreate(backupId), sourcePartitions: new Map([["orders", new Set([0])]]) }
      const { plan } = yield* Restore.prepare(yield* systems, only)
      assert.deepStrictEqual(plan.notes, [
        "topic orders is deleted with all partitions, and of partition 1 nothing is restored: see sourcePartitions"
      ])
      assert.isEmpty((yield* Restore.prepare(yield* systems, recreate(backupId))).plan.notes)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("leaves a topic that is not listed, and says so; and refuses a name that nothing is restored to", () =>
    Effect.gen(function* () {
      const { backupId, id } = yield* foreign
      const error = yield* failure(recreate(backupId, ["order"]))
      assert.include(error.message, "topic orders exists, and confirmRecreate does not list it")
      assert.include(error.message, "confirmRecreate lists order, and no topic is restored to that name")
      assert.strictEqual(yield* idOf, id)
    }).pipe(Effect.provide(layer))
  )

  it.effect("goes on after it died between the deletion and the creation, and deletes nothing again", () =>
    Effect.gen(function* () {
      const { backupId, source, target } = yield* foreign
      const opened = yield* systems
      const { createTopics } = opened.sink
      const dying: Restore.Systems = {
        ...opened,
        sink: {
          ...opened.sink,
          createTopics: (topics, given) => (given?.validateOnly ? createTopics(topics, given) : Effect.interrupt)
        }
      }
      const prepared = yield* Restore.prepare(dying, recreate(backupId))
      const died = yield* Effect.exit(inTime(Restore.run(dying, recreate(backupId), prepared, options)))
      assert.isTrue(Exit.isFailure(died))
      assert.isUndefined(yield* idOf)
      yield* target.inject({ _tag: "Code", code: 29 }, { operation: "produce", after: 3 })
      yield* failure(recreate(backupId))
      const made = yield* idOf
      assert.isDefined(made)
      yield* target.clearFaults
      yield* inTime(restore(recreate(backupId)))
      assert.strictEqual(yield* idOf, made)
      yield* assertSame(source, target, "orders", 2)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("never deletes a topic that somebody made under the name after the last look at it", () =>
    Effect.gen(function* () {
      const { backupId, target } = yield* foreign
      const opened = yield* systems
      const { deleteTopics } = opened.sink
      let theirs: string | undefined
      const raced: Restore.Systems = {
        ...opened,
        sink: {
          ...opened.sink,
          deleteTopics: (topics) =>
            Effect.gen(function* () {
              theirs ??= yield* target.createTopic("orders", { partitions: 3 })
              return yield* deleteTopics(topics)
            })
        }
      }
      const prepared = yield* Restore.prepare(raced, recreate(backupId))
      const error = yield* Effect.flip(inTime(Restore.run(raced, recreate(backupId), prepared, options)))
      assert.include(error.message, "topic orders was deleted and created again")
      assert.isDefined(theirs)
      assert.strictEqual(yield* idOf, theirs)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect.each([
    [44, "only three replicas"],
    [38, "too few brokers"]
  ] as const)("deletes nothing where the brokers would not create the topic again: code %i", ([errorCode, detail]) =>
    Effect.gen(function* () {
      const { backupId, id } = yield* foreign
      const opened = yield* systems
      const { createTopics } = opened.sink
      const governed: Restore.Systems = {
        ...opened,
        sink: {
          ...opened.sink,
          // Brokers ask their policy after they have looked whether the name is taken.
          createTopics: (topics, given) =>
            Effect.map(createTopics(topics, given), (outcomes) =>
              outcomes.map((one) => (one.errorCode === 0 ? { ...one, errorCode, detail } : one))
            )
        }
      }
      const error = yield* Effect.flip(inTime(Restore.prepare(governed, recreate(backupId))))
      assert.include(error.message, `the brokers would refuse to create topic orders again: ${detail}`)
      assert.strictEqual(yield* idOf, id)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("never deletes what it wrote itself before it was edited", () =>
    Effect.gen(function* () {
      const { backupId } = yield* foreign
      yield* inTime(restore(recreate(backupId)))
      const made = yield* idOf
      const error = yield* failure({ ...recreate(backupId), includesOriginalOffset: true })
      assert.include(error.message, "topic orders holds what this restore wrote before it was edited")
      assert.strictEqual(yield* idOf, made)
    }).pipe(Effect.provide(layer))
  )

  it.effect("deletes nothing where it cannot remember what it wrote", () =>
    Effect.gen(function* () {
      const { backupId, id, target } = yield* foreign
      yield* target.inject({ _tag: "Code", code: 30 }, { operation: "groups", times: 100 })
      const error = yield* failure(recreate(backupId))
      assert.match(error.message, /Recreate needs Read on consumer group kafka-backup-restore-/)
      assert.strictEqual(yield* idOf, id)
    }).pipe(Effect.provide(layer))
  )
})

describe("existingTopics: Recreate, with Describe but without Read on the group", () => {
  it.effect("deletes nothing, and names the permission to grant", () =>
    Effect.gen(function* () {
      const { backupId, target } = yield* scene
      const id = yield* target.createTopic("orders", { partitions: 3 })
      const request = aRestore(backupId, { existingTopics: "recreate", confirmRecreate: new Set(["orders"]) })
      const group = Attempt.nameOf(request.owner)
      // OffsetFetch takes Describe, OffsetCommit takes Read.
      yield* target.deny("CommitGroup", group)
      const error = yield* failure(request)
      assert.include(error.message, `Recreate needs Read on consumer group ${group}`)
      assert.include("advice" in error ? error.advice : "", `grant the principal Read on group ${group}`)
      assert.strictEqual(yield* idOf, id)
      yield* target.allow("CommitGroup", group)
      yield* inTime(restore(request))
    }).pipe(Effect.provide(layer))
  )
})

describe("existingTopics: Append", () => {
  const append = (backupId: string) => aRestore(backupId, { existingTopics: "append", offsets: "new" })

  const live = Effect.gen(function* () {
    const made = yield* scene
    yield* made.target.createTopic("orders", { partitions: 2, configs: { "segment.ms": "600000" } })
    for (let at = 0; at < 7; at++) yield* made.target.produce("orders", 1, [{ key: `old-${at}`, value: "1" }])
    return made
  })

  /** Keys in the target, by partition. */
  const keysOf = Effect.fnUntraced(function* (partition: number) {
    const { target } = yield* worlds
    return (yield* plain(target, "orders", partition)).map(({ key, offset }) => [
      offset,
      Buffer.from(key ?? "", "hex").toString()
    ])
  })

  it.effect("writes behind the records that are there, and leaves them and the configuration as they are", () =>
    Effect.gen(function* () {
      const { backupId, target } = yield* live
      const done = yield* inTime(restore(append(backupId)))
      assert.strictEqual(done.records, 40)
      const keys = yield* keysOf(1)
      assert.lengthOf(keys, 27)
      assert.deepStrictEqual(keys[6], [6, "old-6"])
      assert.deepStrictEqual(keys[7], [7, "0"])
      assert.deepStrictEqual(keys[26], [26, "19"])
      assert.deepStrictEqual(
        done.proven.find(({ partition }) => partition === 1)?.ranges.map(({ from, until }) => [from, until]),
        [[7, 27]]
      )
      assert.deepStrictEqual(done.hold, { _tag: "Final", ended: 0 })
      const { source } = yield* systems
      const configs = (yield* source.topicConfigs(["orders"])).get("orders")
      assert.strictEqual(configs?.["segment.ms"], "600000")
      assert.notProperty(configs ?? {}, "cleanup.policy")
      assert.notStrictEqual(configs?.["retention.ms"], "-1")
      // A repeat appends nothing.
      yield* target.produce("orders", 1, [{ key: "later", value: "2" }])
      const again = yield* inTime(restore(append(backupId)))
      assert.isTrue(again.wasProven)
      assert.lengthOf(yield* keysOf(1), 28)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("goes on where it stopped: every record is there once", () =>
    Effect.gen(function* () {
      const { backupId, target } = yield* live
      yield* target.inject({ _tag: "Code", code: 29 }, { operation: "produce", after: 9 })
      yield* failure(append(backupId))
      yield* target.clearFaults
      const before = (yield* keysOf(1)).length + (yield* keysOf(0)).length
      assert.isAbove(before, 7)
      assert.isBelow(before, 47)
      yield* inTime(restore(append(backupId)))
      for (const [partition, first] of [
        [0, 0],
        [1, 7]
      ] as const) {
        const keys = (yield* keysOf(partition)).slice(first)
        assert.deepStrictEqual(
          keys,
          Array.from({ length: 20 }, (_, at) => [first + at, `${at}`])
        )
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("appends nothing where it cannot remember where the logs ended", () =>
    Effect.gen(function* () {
      const { backupId, target } = yield* live
      yield* target.inject({ _tag: "Code", code: 30 }, { operation: "groups", times: 100 })
      const error = yield* failure(append(backupId))
      assert.match(error.message, /Append needs Read on consumer group kafka-backup-restore-/)
      yield* target.clearFaults
      // Describe is enough to read the group, not to write to it.
      const opened = yield* systems
      const refused: Restore.Systems = {
        ...opened,
        sink: {
          ...opened.sink,
          commitOffsets: () =>
            Effect.fail(
              new KafkaError({
                operation: "groups",
                reason: new KafkaAuthorizationFailed({ resource: "group", missing: "Read" })
              })
            )
        }
      }
      const prepared = yield* Restore.prepare(refused, append(backupId))
      const later = yield* Effect.flip(inTime(Restore.run(refused, append(backupId), prepared, options)))
      assert.match(later.message, /Append needs Read on consumer group kafka-backup-restore-/)
      assert.lengthOf(yield* keysOf(0), 0)
      assert.lengthOf(yield* keysOf(1), 7)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("never appends to what it wrote itself before it was edited", () =>
    Effect.gen(function* () {
      const { backupId } = yield* live
      yield* inTime(restore(append(backupId)))
      const error = yield* failure({ ...append(backupId), includesOriginalOffset: true })
      assert.include(error.message, "topic orders holds what this restore wrote before it was edited")
      assert.lengthOf(yield* keysOf(1), 27)
    }).pipe(Effect.provide(layer))
  )

  it.effect("stops when somebody else writes there meanwhile, and does not advise to delete the topic", () =>
    Effect.gen(function* () {
      const { backupId, target } = yield* live
      yield* target.inject({ _tag: "Code", code: 29 }, { operation: "produce", after: 9 })
      yield* failure(append(backupId))
      yield* target.clearFaults
      yield* target.produce("orders", 0, [{ key: "theirs", value: "2" }])
      yield* target.produce("orders", 1, [{ key: "theirs", value: "2" }])
      const error = yield* failure(append(backupId))
      assert.match(error.message, /^orders\[[01]\] offset \d+: the log holds other records than the backup/)
      assert.match(
        "advice" in error ? error.advice : "",
        /^what was appended to topic orders stays\. Restore to another name/
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("appends a record that fits the limit of the topic only when compressed, and notes it beforehand", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      const limited = { configs: { "max.message.bytes": "1000000" } }
      yield* source.createTopic("orders", limited)
      yield* source.produce("orders", 0, [{ key: "large", value: "x".repeat(2_000_000) }], { codec: "lz4" })
      yield* target.createTopic("orders", limited)
      yield* target.produce("orders", 0, [{ key: "theirs", value: "2" }])
      const backupId = yield* backUp
      const plain = yield* failure({ ...append(backupId), compression: "none" })
      assert.match(plain.message, /max\.message\.bytes=1000000, .* needs 20000\d\d without compression/)
      const { plan } = yield* inTime(restore(append(backupId)))
      assert.match(
        plan.notes.join(),
        /max\.message\.bytes=1000000, .* A limit of 200[78]\d\d\d has room for it in any case$/
      )
      assert.deepStrictEqual(
        (yield* target.committed("orders", 0)).map(({ key }) => String(key)),
        ["theirs", "large"]
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect.each([
    ["message.timestamp.type", "LogAppendTime", /LogAppendTime: the broker would replace the timestamps/],
    ["cleanup.policy", "compact", /orders is compacted: records could be removed/],
    ["retention.ms", "1000", /retention\.ms=1000, and the backup has records that are older/]
  ] as const)("is refused where %s is %s", ([name, value, says]) =>
    Effect.gen(function* () {
      const { backupId, target } = yield* scene
      yield* inTime(Effect.sleep("1 hour"))
      yield* target.createTopic("orders", { partitions: 2, configs: { [name]: value } })
      yield* target.produce("orders", 1, [{ key: "theirs", value: "2" }])
      assert.match((yield* failure(append(backupId))).message, says)
    }).pipe(Effect.provide(layer))
  )
})
