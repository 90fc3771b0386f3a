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
const decide = <S extends ReturnType<typeof set>>(
  sets: ReadonlyArray<S>,
  rules: Retention.Rules,
  damaged: ReadonlyArray<S> = []
) =>
  Effect.runSync(
    Retention.decide(
      sets,
      rules,
      (one: S, newer: ReadonlyArray<S>) => Retention.lostSince(({ lineage: held }) => Effect.succeed(held), one, newer),
      damaged
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

describe("a damaged backup", () => {
  const gone = (whole: ReadonlyArray<number>, damaged: ReadonlyArray<number>, rules: Retention.Rules) =>
    ids(
      decide(
        whole.map((n) => set(n)),
        rules,
        damaged.map((n) => set(n))
      ).expired
    )

  it("stays as long as a whole one would in its place, and goes then", () => {
    assert.deepStrictEqual(gone([4], [3], { keep: 2 }), [])
    assert.deepStrictEqual(gone([5, 4], [3], { keep: 2 }), ["b-3"])
    assert.deepStrictEqual(gone([5, 2], [3], { keep: 2 }), [], "the older whole one counts in its place")
    assert.deepStrictEqual(gone([50, 45], [3, 30], { keep: 1, time: { maxAgeMillis: 20 }, nowMillis: 50 }), ["b-3"])
    assert.deepStrictEqual(gone([5, 4], [3], { keep: undefined }), [])
  })

  it("stays where no newer one is whole, and where the newer whole ones lost what it holds", () => {
    assert.deepStrictEqual(gone([], [1, 2, 3], { keep: 1 }), [])
    assert.deepStrictEqual(gone([1], [2, 3], { keep: 1 }), [])
    assert.deepStrictEqual(gone([3], [1, 2], { keep: 1 }), ["b-1", "b-2"])
    const without = decide([set(3, lineage({}))], { keep: 1 }, [set(2)])
    assert.deepStrictEqual([ids(without.expired), without.heldBack.map((one) => one.set.backupId)], [[], ["b-2"]])
    const accepted = decide([set(3, lineage({}))], { keep: 1, acceptedLoss: "b-3" }, [set(2)])
    assert.deepStrictEqual(ids(accepted.expired), ["b-2"])
    const answered = decide([set(1), set(4, lineage({}))], { keep: 1 }, [set(2)])
    assert.deepStrictEqual(ids(answered.expired), [], "a damaged one answers for no older one")
  })

  it("stays while it is pinned, the run's own, or in use", () => {
    const [whole, damaged] = [[set(5), set(4)], [set(3)]]
    const expired = (rules: Partial<Retention.Rules>) => ids(decide(whole, { keep: 1, ...rules }, damaged).expired)
    assert.deepStrictEqual(expired({}), ["b-3", "b-4"])
    for (const rules of [{ pins: new Set(["b-3"]) }, { pinned: new Set(["b-3"]) }, { own: "b-3" }]) {
      assert.deepStrictEqual(expired(rules), ["b-4"])
    }
  })

  it.prop(
    "changes nothing about the whole ones, goes only where a whole one would go, and leaves a newer whole one",
    [Sets, Sets, Keep],
    ([drawnWhole, drawnDamaged, keep]) => {
      const made = (prefix: string, drawn: typeof drawnWhole) =>
        drawn.map(({ cluster, completedMillis, orders: n, payments }, index) => ({
          ...set(completedMillis, lineage({ orders: n, payments }, { clusterId: cluster })),
          backupId: `${prefix}-${index}`
        }))
      const [whole, damaged] = [made("w", drawnWhole), made("d", drawnDamaged)]
      const alone = decide(whole, { keep })
      const both = decide(whole, { keep }, damaged)
      assert.deepStrictEqual(both.kept, alone.kept)
      assert.deepStrictEqual(
        both.expired.filter((one) => whole.includes(one)),
        alone.expired
      )
      for (const one of both.expired.filter((one) => damaged.includes(one))) {
        assert.include(ids(decide([...whole, one], { keep }).expired), one.backupId)
        assert.isTrue(both.kept.some(({ completedMillis }) => completedMillis >= one.completedMillis))
      }
    }
  )
})
