import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import type { Lineage } from "../../src/backup/Lineage.ts"
import * as Retention from "../../src/backup/Retention.ts"
import { lineage } from "./lineages.ts"

const orders = lineage({ orders: 100 })

const set = (completedMillis: number, held: Lineage = orders) => ({
  backupId: `b-${completedMillis}`,
  completedMillis,
  lineage: held
})
/** With every lineage at hand. */
const decide = <S extends ReturnType<typeof set>>(sets: ReadonlyArray<S>, rules: Retention.Rules) =>
  Effect.runSync(
    Retention.decide(sets, rules, (one: S, newer: ReadonlyArray<S>) =>
      Retention.lostSince(({ lineage: held }) => Effect.succeed(held), one, newer)
    )
  )
const ids = (sets: ReadonlyArray<{ readonly backupId: string }>) => sets.map(({ backupId }) => backupId)

const Sets = Schema.Array(
  Schema.Struct({
    completedMillis: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 50 })),
    orders: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 })),
    payments: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 })),
    cluster: Schema.Literals(["A", "B"])
  })
)
const Keep = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 }))

describe("Retention.decide", () => {
  it("keeps those that were completed last, whatever their slots", () => {
    const sets = [3, 1, 4, 2].map((millis) => set(millis))
    assert.deepStrictEqual(ids(decide(sets, { keep: 2 }).expired), ["b-1", "b-2"])
  })

  it("keeps everything where nothing is said, and the newest whatever is said", () => {
    assert.deepStrictEqual(decide([set(1), set(2)], { keep: undefined }).expired, [])
    assert.deepStrictEqual(ids(decide([set(1), set(2)], { keep: 0 }).kept), ["b-2"])
  })

  it("holds back the newest backup that holds what all newer ones lost, and no older one", () => {
    const sets = [set(1), set(2), set(3, lineage({ orders: 0 })), set(4, lineage({}))]
    const { expired, heldBack, kept } = decide(sets, { keep: 1 })
    assert.deepStrictEqual(
      [ids(expired), ids(kept)],
      [
        ["b-1", "b-3"],
        ["b-4", "b-2"]
      ]
    )
    assert.deepStrictEqual(
      heldBack.map(({ losses, set: { backupId } }) => [backupId, losses.map(({ _tag, topic }) => `${_tag} ${topic}`)]),
      [["b-2", ["TopicGone orders"]]]
    )
  })

  it("holds nothing back once the topic is there again", () => {
    const sets = [set(1), set(2, lineage({})), set(3)]
    assert.deepStrictEqual(ids(decide(sets, { keep: 1 }).expired), ["b-1", "b-2"])
  })

  it("lets go what is older than the backup whose loss is accepted, and holds back what was lost after it", () => {
    const both = lineage({ orders: 100, payments: 100 })
    const sets = [set(1, both), set(2, lineage({ payments: 100 })), set(3, lineage({}))]
    const heldBack = (acceptedLoss?: string) =>
      ids(decide(sets, { keep: 1, acceptedLoss }).heldBack.map((one) => one.set))
    assert.deepStrictEqual(heldBack(), ["b-2", "b-1"])
    assert.deepStrictEqual(heldBack("b-2"), ["b-2"])
    assert.deepStrictEqual(heldBack("b-3"), [])
    assert.deepStrictEqual(heldBack("b-1"), ["b-2", "b-1"])
    assert.deepStrictEqual(heldBack("another"), ["b-2", "b-1"])
  })

  it("does not let backups that expire in the same pass answer for one another", () => {
    const sets = [1000, 150, 20, 3].map((orders, n) => set(n + 1, lineage({ orders })))
    const { heldBack, kept } = decide(sets, { keep: 1 })
    assert.deepStrictEqual([ids(kept), ids(heldBack.map((one) => one.set))], [["b-4", "b-2"], ["b-2"]])
  })

  it("knows how old an accepted loss is when that backup is gone", () => {
    const nightly = (hour: number, held: Lineage) => ({
      ...set(Date.parse(`2026-11-23T0${hour}:00:30Z`), held),
      backupId: `nightly-20261123-0${hour}0000`
    })
    const sets = [nightly(1, orders), nightly(3, lineage({}))]
    const expired = (acceptedLoss: string) => ids(decide(sets, { keep: 1, acceptedLoss }).expired)
    assert.deepStrictEqual(expired("nightly-20261123-020000"), ["nightly-20261123-010000"])
    assert.deepStrictEqual(expired("nightly-20261123-005900"), [])
  })

  it("lets topics go that may, and no cluster", () => {
    const expired = (newest: Lineage) =>
      ids(
        decide([set(1, lineage({ logs: 9 }, { clusterId: "A" })), set(2, newest)], { keep: 1, acceptedTopics: ["l*"] })
          .expired
      )
    assert.deepStrictEqual(expired(lineage({}, { clusterId: "A" })), ["b-1"])
    assert.deepStrictEqual(expired(lineage({}, { clusterId: "B" })), [])
  })

  it("counts no backup of another cluster silently", () => {
    const sets = [
      set(1, lineage({ orders: 100 }, { clusterId: "A" })),
      set(2, lineage({ orders: 100 }, { clusterId: "B" }))
    ]
    assert.deepStrictEqual(ids(decide(sets, { keep: 1 }).expired), [])
  })

  it.prop(
    "the newest always stays, nothing of a kept number goes, and every topic that any backup held is held by a kept one",
    [Sets, Keep],
    ([drawn, keep]) => {
      const sets = drawn.map(({ cluster, completedMillis, orders: n, payments }, index) => ({
        ...set(completedMillis, lineage({ orders: n, payments }, { clusterId: cluster })),
        backupId: `b-${index}`,
        amounts: { orders: n, payments },
        cluster
      }))
      const { expired, kept } = decide(sets, { keep })
      assert.strictEqual(expired.length + kept.length, sets.length)
      assert.isAtLeast(kept.length, Math.min(sets.length, Math.max(1, keep)))
      const [newest] = Retention.newestFirst(sets)
      if (newest !== undefined) assert.strictEqual(kept[0], newest)
      for (const gone of expired) {
        assert.isTrue(kept.every(({ completedMillis }, index) => index > 0 || completedMillis >= gone.completedMillis))
        for (const topic of ["orders", "payments"] as const) {
          if (gone.amounts[topic] === 0) continue
          const isHeld = kept.some(
            (one) =>
              one.cluster === gone.cluster && one.amounts[topic] > 0 && one.completedMillis >= gone.completedMillis
          )
          assert.isTrue(isHeld, `${topic} of ${gone.backupId}`)
        }
      }
    }
  )
})
