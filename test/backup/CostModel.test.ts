import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as ClusterFigures from "../../src/backup/ClusterFigures.ts"
import * as CostModel from "../../src/backup/CostModel.ts"
import * as KeptAges from "../../src/backup/KeptAges.ts"

const hour = 3_600_000
const day = 24 * hour
const now = Date.parse("2026-11-29T09:00:00Z")

/** A terabyte in 1,000 partitions, of which one hundredth is new each hour; 168 hourly backups stay. */
const terabyte: CostModel.Figures = {
  partitions: Array.from({ length: 1000 }, () => ({ bytes: 1e9, bytesPerSecond: 1e7 / 3600 })),
  sentPerByte: 1,
  storedPerByte: 1 / 3.7,
  bytesPerSecond: 150e6,
  intervalMillis: hour,
  keptAgesMillis: KeptAges.of({ keep: 168 }, hour, now).ages,
  checkpointMillis: 30_000,
  sampledPercent: 0
}

const within = (found: number, expected: number, share = 0.03) => assert.closeTo(found / expected, 1, share)

describe("what backups cost", () => {
  it("are 45 TB of full copies, or 1.2 TB where each run copies what is new", () => {
    const [full, based] = [CostModel.fullCopies(terabyte), CostModel.newDataOnly(terabyte)]
    within(full.storedBytes, 168 * (1e12 / 3.7))
    within(full.run.kafkaBytes, 1e12)
    // What is new is joined once: both stay until the backups of before the join are gone.
    within(based.storedBytes, 1e12 / 3.7 + (2 * 167 * 1e10) / 3.7)
    within(based.run.kafkaBytes, 1e10)
    // 2.7 GB of data, as much joined, and a manifest that names 19 segments of each partition.
    within(based.run.joinedBytes, 1e10 / 3.7)
    within(based.run.writtenBytes, (2 * 1e10) / 3.7 + 19_000 * 381)
    within(based.run.readBytes, 1e10 / 3.7 + 11 * 19_000 * 381)
    // As the guide has it: an eighth of a segment joined for each that is new.
    assert.deepStrictEqual([full.run.writes, based.run.writes], [15_234, 1_139])
    within(full.run.millis, (60 + 51) * 60_000, 0.01)
    within(based.run.millis, 85_300, 0.01)
    within(full.storedBytes, 45.4e12, 0.01)
    within(based.storedBytes, 1.18e12, 0.01)
    within(based.run.writtenBytes, 5.41e9, 0.01)
  })

  it("are more by what is read again, a hundredth of what is kept for each percent", () => {
    const sampled = { ...terabyte, sampledPercent: 2 }
    for (const cost of [CostModel.fullCopies, CostModel.newDataOnly]) {
      const [without, withSample] = [cost(terabyte), cost(sampled)]
      within(withSample.run.readBytes - without.run.readBytes, without.storedBytes / 50, 0.001)
      within((withSample.run.millis - without.run.millis) / 1000, without.storedBytes / 50 / 150e6, 0.001)
      assert.deepStrictEqual(
        [withSample.storedBytes, withSample.run.kafkaBytes, withSample.run.writtenBytes],
        [without.storedBytes, without.run.kafkaBytes, without.run.writtenBytes]
      )
    }
  })

  it("are no more than a run has time to read again", () => {
    const mostSampledMillis = 20 * 60_000
    const sampled = { ...terabyte, sampledPercent: 2, mostSampledMillis }
    const [without, cut] = [CostModel.fullCopies(terabyte), CostModel.fullCopies(sampled)]
    within(cut.run.dueBytes, without.storedBytes / 50, 0.001)
    within(cut.run.rereadBytes, 20 * 60 * 150e6, 0.001)
    within(cut.run.readBytes - without.run.readBytes, cut.run.rereadBytes, 0.001)
    within(cut.run.millis - without.run.millis, mostSampledMillis, 0.001)
    within((cut.run.reads - without.run.reads) / without.storedObjects, cut.run.rereadBytes / without.storedBytes, 0.01)
    const { dueBytes, rereadBytes } = CostModel.newDataOnly(sampled).run
    assert.strictEqual(rereadBytes, dueBytes)
  })

  it("join a byte as often as the log has eight times more, twice at most, and not beyond a full segment", () => {
    const mebibyte = 1024 * 1024
    const cases = [
      [100, 0, 0],
      [7, 1, 0],
      [8, 1, 1],
      [63, 1, 1],
      [64, 1, 2],
      [100_000, 1, 2],
      [1000 * mebibyte, 10 * mebibyte, 1],
      [1000 * mebibyte, 64 * mebibyte, 0]
    ] as const
    for (const [bytes, perRun, joins] of cases) assert.strictEqual(CostModel.joinsOf(bytes, perRun), joins)
  })

  it("are the same for the first and only backup", () => {
    const once = { ...terabyte, intervalMillis: undefined, keptAgesMillis: [0] }
    within(CostModel.newDataOnly(once).storedBytes, CostModel.fullCopies(once).storedBytes, 0.05)
  })

  it("are nothing for topics without records but the documents of each run", () => {
    const empty = { ...terabyte, partitions: [] }
    assert.deepInclude(CostModel.fullCopies(empty).run, { kafkaBytes: 0, writtenBytes: 0, writes: 12 })
    assert.strictEqual(CostModel.newDataOnly(empty).storedBytes, 0)
  })

  const Drawn = Schema.Struct({
    bytes: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1e12 })),
    bytesPerSecond: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1e8 })),
    hours: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 })),
    kept: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 }))
  })
  it.prop(
    "never read more from Kafka for new data than for everything, nor store less than one backup",
    [Drawn],
    ([drawn]) => {
      const figures: CostModel.Figures = {
        ...terabyte,
        partitions: [{ bytes: drawn.bytes, bytesPerSecond: drawn.bytesPerSecond }],
        intervalMillis: drawn.hours * hour,
        keptAgesMillis: Array.from({ length: drawn.kept }, (_, n) => n * drawn.hours * hour)
      }
      const [full, based] = [CostModel.fullCopies(figures), CostModel.newDataOnly(figures)]
      assert.isAtMost(based.run.kafkaBytes, full.run.kafkaBytes)
      assert.isAtMost(based.run.millis, full.run.millis)
      assert.isAtLeast(based.storedBytes, drawn.bytes * figures.storedPerByte)
      // At most twice what is new is joined, and nothing is kept more often than in full copies and half a segment.
      assert.isAtMost(based.run.joinedBytes, 2.001 * based.run.kafkaBytes * figures.storedPerByte)
      assert.isAtMost(based.run.joinedBytes, based.run.writtenBytes)
      assert.isAtMost(based.run.joinedBytes, based.run.readBytes)
      for (const n of [...Object.values(full.run), ...Object.values(based.run), based.storedObjects]) {
        assert.isTrue(Number.isFinite(n) && n >= 0)
      }
    }
  )
})

describe("the backups that stay in the long run", () => {
  it("are those of the guide's worked example", () => {
    const time = {
      maxAgeMillis: 3 * day,
      keep: { daily: 14, weekly: 8, monthly: 12, yearly: 3 },
      timeZone: "Europe/Berlin"
    }
    const { ages, isEndless } = KeptAges.of({ keep: 24, time }, hour, now)
    assert.isFalse(isEndless)
    // Looked at once a day, the oldest are the first of their day instead of the last.
    assert.isAtLeast(ages.length, 99)
    assert.isAtMost(ages.length, 101)
    assert.isAbove(ages.at(-1)!, 600 * day)
  })

  it("are those of a year without rules, and as many as the number says", () => {
    assert.deepInclude(KeptAges.of({ keep: undefined }, day, now), { isEndless: true })
    assert.lengthOf(KeptAges.of({ keep: undefined }, day, now).ages, 365)
    // One each minute: none of the year is left out.
    const minutes = KeptAges.of({ keep: undefined }, 60_000, now)
    assert.deepStrictEqual([minutes.ages.length, minutes.isCut], [525_600, false])
    assert.deepInclude(KeptAges.of({ keep: 30_000 }, 60_000, now), { isEndless: false, isCut: false })
    assert.lengthOf(KeptAges.of({ keep: 30_000 }, 60_000, now).ages, 30_000)
    const hours = KeptAges.of({ keep: undefined, time: { keep: { hourly: 1000, daily: 30 } } }, 60_000, now)
    assert.deepStrictEqual([hours.ages.length, hours.isCut], [1000, false])
    assert.isTrue(KeptAges.of({ keep: 10_000_000 }, 60_000, now).isCut)
    assert.isTrue(KeptAges.of({ keep: undefined, time: { keep: { hourly: 100_000 } } }, 60_000, now).isCut)
    assert.lengthOf(KeptAges.of({ keep: 7 }, day, now).ages, 7)
    assert.lengthOf(KeptAges.of({ keep: undefined, time: { keep: { monthly: 12 } } }, 40 * day, now).ages, 12)
  })
})

describe("the growth of topics", () => {
  const topic = (name: string, until: number, topicId?: string) => ({
    name,
    ...(topicId === undefined ? {} : { topicId }),
    replicationFactor: 1,
    partitions: [{ partition: 0, from: 10, until }]
  })

  it("is what came since, and everything of a topic that is new or was created again", () => {
    const before = [topic("a", 50, "1"), topic("b", 50, "1")]
    const now = [topic("a", 70, "1"), topic("b", 70, "2"), topic("c", 70, "3")]
    assert.deepStrictEqual(
      ClusterFigures.since(now, before).map(({ newOffsets, offsets }) => [offsets, newOffsets]),
      [
        [60, 20],
        [60, 60],
        [60, 60]
      ]
    )
  })
})
