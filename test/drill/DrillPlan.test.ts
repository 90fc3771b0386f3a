import { assert, describe, it } from "@effect/vitest"
import * as BackupId from "../../src/identity/BackupId.ts"
import type { BackupSet } from "../../src/manifest/Catalogue.ts"
import * as DrillChoice from "../../src/drill/DrillChoice.ts"
import * as DrillPlan from "../../src/drill/DrillPlan.ts"

const segment = (start_offset: number, end_offset: number) => ({
  key: `${start_offset}`,
  start_offset,
  end_offset,
  start_timestamp: 0,
  end_timestamp: 0,
  record_count: end_offset - start_offset + 1,
  compressed_size: 10
})

/** A backup of topics with one partition each, whose log begins where the first segment does. */
const setOf = (topics: Readonly<Record<string, ReadonlyArray<ReturnType<typeof segment>>>>): BackupSet => ({
  backupId: BackupId.forSlot("nightly", 0),
  manifest: {
    backup_id: "nightly-19700101-000000",
    created_at: 0,
    topics: Object.entries(topics).map(([name, segments]) => ({ name, partitions: [{ partition_id: 0, segments }] }))
  },
  facts: undefined
})

const planOf = (set: BackupSet, maxBytes = 1e9, means: DrillPlan.Settings["means"] = "markers") => {
  const choice = DrillChoice.choose(set.manifest.topics, 0, { maxBytes, maxRuns: 100 })
  const names = new Map(choice.topics.map(({ name }) => [name, `scratch-${name}`]))
  return DrillPlan.make(set, choice, names, { replicationFactor: 1, token: "t", means, counted: new Map() })
}

describe("DrillPlan.make", () => {
  it("gives each run a partition whose log begins and ends where the run does", () => {
    const set = setOf({ orders: [segment(100, 199), segment(200, 299), segment(300, 399), segment(400, 499)] })
    const { pieces, restore } = planOf(set, 20)
    assert.deepStrictEqual(
      restore.topics[0]!.partitions.map(({ end, partition, records, start }) => [partition, start, end, records]),
      [
        [0, 100, 200, 100],
        [1, 400, 500, 100]
      ]
    )
    assert.deepStrictEqual(
      pieces.map(({ from, until }) => [from, until]),
      [
        [100, 200],
        [400, 500]
      ]
    )
    assert.isUndefined(restore.topics[0]!.renumbered)
  })

  it("spends a minute of brokers on old offsets, on the topics that need least first", () => {
    const far = 400_000_000
    const set = setOf({
      a: [segment(far, far + 9)],
      b: [segment(1000, 1009)],
      c: [segment(far, far + 9)],
      d: [segment(0, 9)]
    })
    const { fillingMillis, pieces, restore } = planOf(set)
    assert.deepStrictEqual(
      restore.topics.flatMap(({ renumbered, source }) => (renumbered === undefined ? [source] : [])),
      ["a", "b", "d"]
    )
    assert.isAtMost(fillingMillis, 60_000)
    const renumbered = restore.topics[2]!.partitions[0]!
    assert.deepStrictEqual([renumbered.start, renumbered.end], [0, 10])
    assert.deepStrictEqual([pieces[2]!.from, pieces[2]!.exact.start], [far, far])
  })

  it("plans no hole where the principal may fill none, and few where that is slow", () => {
    const set = setOf({ few: [segment(0, 9), segment(12, 20)], many: [segment(0, 9), segment(100_000, 100_009)] })
    const exact = (means: DrillPlan.Settings["means"]) =>
      planOf(set, 1e9, means).restore.topics.flatMap(({ renumbered, source }) => (renumbered ? [] : [source]))
    assert.deepStrictEqual(exact("markers"), ["few", "many"])
    assert.deepStrictEqual(exact("transactions"), ["few"])
    assert.deepStrictEqual(exact("none"), [])
  })
})
