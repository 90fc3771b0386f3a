import { assert, describe, it } from "@effect/vitest"
import * as Lineage from "../../src/backup/Lineage.ts"
import { facts, lineage } from "./lineages.ts"

const before = lineage({ orders: 100, idle: 0 })
const tags = (after: Lineage.Lineage, older = before) =>
  Lineage.losses(older, after).map(({ _tag, topic }) => `${_tag} ${topic}`)
const withOrders = (topic: Partial<(typeof orders)[number]>) => lineage({}, { topics: [{ ...orders[0]!, ...topic }] })
const orders = facts({ orders: 100 }).topics

describe("Lineage.losses", () => {
  it("finds none where every topic is there with its records, nor where there was nothing to lose", () => {
    assert.deepStrictEqual(tags(lineage({ orders: 100 })), [])
    assert.deepStrictEqual(tags(lineage({ orders: 11 })), [], "what retention in Kafka takes away by and by")
    assert.deepStrictEqual(tags(lineage({ orders: 100, more: 5 })), [])
  })

  it("finds a topic that is gone, was created again, has fewer partitions or next to no records", () => {
    assert.deepStrictEqual(tags(lineage({})), ["TopicGone orders"])
    assert.deepStrictEqual(tags(withOrders({ topicId: "another" })), ["TopicRecreated orders"])
    assert.deepStrictEqual(tags(withOrders({ partitions: [] })), ["FewerPartitions orders"])
    assert.deepStrictEqual(tags(lineage({ orders: 9 })), ["RecordsCollapsed orders"])
    assert.deepStrictEqual(tags(lineage({ orders: 0 })), ["RecordsCollapsed orders"])
    assert.deepStrictEqual(tags(withOrders({ partitions: [{ partition: 0, from: 0, until: 999, records: 100 }] })), [
      "EndWentBack orders"
    ])
  })

  it("finds everything lost where the records come from another cluster", () => {
    const inA = lineage({ orders: 100, idle: 0 }, { clusterId: "A" })
    assert.deepStrictEqual(tags(lineage({ orders: 100 }, { clusterId: "B" }), inA), ["OtherCluster orders"])
    assert.deepStrictEqual(tags(lineage({ orders: 100 }), inA), [], "a broker that names no cluster says nothing")
  })

  it("does not call lost what the spec no longer selects", () => {
    const selection = { topics: ["*"], excludeTopics: ["ord*"] }
    assert.deepStrictEqual(tags(lineage({}, { selection })), [])
    assert.deepStrictEqual(tags(lineage({}, { selection: { topics: ["*"], excludeTopics: [] } })), ["TopicGone orders"])
  })

  it("says each loss in a sentence that names the topic and the backup that holds it", () => {
    for (const after of [
      lineage({}),
      withOrders({ topicId: "another" }),
      withOrders({ partitions: [] }),
      lineage({ orders: 9 }),
      lineage({ orders: 0 }),
      withOrders({ partitions: [{ partition: 0, from: 0, until: 9, records: 100 }] })
    ]) {
      const [loss] = Lineage.losses(before, after)
      const text = Lineage.sentence(loss!, "nightly-1")
      assert.match(text, /^topic orders .*; nightly-1 holds 100 records of it/)
    }
  })
})

describe("Lineage.gaps", () => {
  it("finds offsets that Kafka deleted after one backup and before the next", () => {
    const late = withOrders({ partitions: [{ partition: 0, from: 1500, until: 2000, records: 500 }] })
    assert.deepStrictEqual(Lineage.gaps(before, late), [{ topic: "orders", partition: 0, from: 1000, until: 1500 }])
    const intime = withOrders({ partitions: [{ partition: 0, from: 1000, until: 2000, records: 500 }] })
    assert.deepStrictEqual(Lineage.gaps(before, intime), [])
    assert.deepStrictEqual(Lineage.gaps(before, withOrders({ topicId: "another" })), [])
  })
})
