import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import * as OffsetSnapshot from "../../src/manifest/OffsetSnapshot.ts"
import * as OffsetResource from "../../src/resource/OffsetResource.ts"
import * as ResetWork from "../../src/restore/groups/ResetWork.ts"
import { layer, systems, worlds } from "./world.ts"

const at = (topic: string, partition: number, offset: number) => ({ topic, partition, offset })

const resource = Result.getOrThrow(
  OffsetResource.parse(
    JSON.stringify({
      apiVersion: "kafka.oso.sh/v1alpha1",
      kind: "KafkaOffsetReset",
      metadata: { name: "early", uid: "reset-1" },
      spec: {
        kafkaCluster: { bootstrapServers: ["target:9092"] },
        strategy: "earliest",
        consumerGroups: ["shop-*"],
        createSnapshot: true,
        snapshotId: "before",
        storage: { storageType: "pvc", pvc: { claimName: "backups" } }
      }
    }),
    ["KafkaOffsetReset"]
  )
) as OffsetResource.KafkaOffsetReset

const prepare = Effect.gen(function* () {
  const { sink, store } = yield* systems
  return yield* ResetWork.ofCluster({ sink, store }, resource, Effect.succeed)
})

/** Two groups, of which the first attempt has stored both and set one. */
const scene = Effect.gen(function* () {
  const { target } = yield* worlds
  for (const topic of ["orders", "mails"]) {
    yield* target.createTopic(topic)
    yield* target.produce(topic, 0, [{ value: "1" }, { value: "2" }])
  }
  for (const group of ["shop-a", "shop-b"]) yield* target.commitGroupOffsets(group, [at("orders", 0, 2)])
  yield* target.setGroupActive("shop-b", true)
  const first = yield* prepare
  yield* first.store
  yield* first.set
  yield* target.setGroupActive("shop-b", false)
  return { target }
})

describe("a reset that is repeated with the snapshot of its first attempt", () => {
  it.effect("sets the groups of the snapshot, and leaves one that appeared since, by name", () =>
    Effect.gen(function* () {
      const { target } = yield* scene
      const { sink, store } = yield* systems
      yield* target.commitGroupOffsets("shop-new", [at("orders", 0, 1)])
      const again = yield* prepare
      yield* again.check
      yield* again.store
      const { groupsReset, groupsSkipped } = yield* again.set
      assert.deepStrictEqual(
        groupsReset.map(({ group }) => group),
        ["shop-a", "shop-b"]
      )
      assert.deepStrictEqual(groupsSkipped, [
        {
          group: "shop-new",
          reason:
            "snapshot before was stored without the group: reset it with a KafkaOffsetReset of another name, which stores a snapshot of its own"
        }
      ])
      assert.deepStrictEqual(
        (yield* sink.committedOffsets("shop-new")).map(({ offset }) => offset),
        [1]
      )
      const snapshot = yield* OffsetSnapshot.read(store, "before")
      assert.deepStrictEqual(
        snapshot?.groups.map(({ groupId, offsets }) => [groupId, offsets[0]?.offset]),
        [
          ["shop-a", 2],
          ["shop-b", 2]
        ]
      )
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("leaves a group that has offsets in another topic since, which the snapshot does not have", () =>
    Effect.gen(function* () {
      const { target } = yield* scene
      const { sink } = yield* systems
      yield* target.commitGroupOffsets("shop-b", [at("mails", 0, 1)])
      const again = yield* prepare
      yield* again.store
      const { groupsReset, groupsSkipped } = yield* again.set
      assert.deepStrictEqual(
        [groupsReset, groupsSkipped].map((all) => all.map(({ group }) => group)),
        [["shop-a"], ["shop-b"]]
      )
      assert.match(groupsSkipped[0]!.reason, /before the group had offsets in topic mails: reset it with/)
      assert.deepStrictEqual(
        (yield* sink.committedOffsets("shop-b")).map(({ offset, topic }) => [topic, offset]),
        [
          ["orders", 2],
          ["mails", 1]
        ]
      )
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
