import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Reuse from "../../src/backup/Reuse.ts"
import { fullReasons, sentence } from "../../src/manifest/FullReason.ts"

const hour = 3_600_000

const held = (changes: Partial<Reuse.Held> = {}): Reuse.Held => ({
  topicId: "id",
  from: 0,
  until: 100,
  segments: [
    { start_offset: 0, end_offset: 39 },
    { start_offset: 41, end_offset: 99 }
  ],
  wasCompacted: false,
  lackingSinceMillis: 0,
  ...changes
})

const living = (changes: Partial<Reuse.Living> = {}): Reuse.Living => ({
  topicId: "id",
  logStart: 0,
  lastStable: 150,
  cleanup: { isCompacted: false, deleteRetentionMillis: 24 * hour },
  nowMillis: hour,
  ...changes
})

const settings = { compression: "zstd", compressionLevel: 3, includeOffsetHeaders: false } as const

describe("Reuse.ofPartition", () => {
  const compacted = { isCompacted: true, deleteRetentionMillis: 24 * hour }
  const table: ReadonlyArray<readonly [string, Reuse.Held | undefined, Reuse.Living, string | undefined]> = [
    ["the same log that has grown", held(), living(), undefined],
    ["the same log, with nothing new", held(), living({ lastStable: 100 }), undefined],
    ["a log that begins within the backup", held(), living({ logStart: 99 }), undefined],
    ["a partition that was added", undefined, living(), "TopicNew"],
    ["a topic that was made anew", held(), living({ topicId: "other" }), "TopicRecreated"],
    ["a topic without an id", held(), living({ topicId: undefined }), "TopicIdUnknown"],
    ["a backup without ids", held({ topicId: undefined }), living(), "TopicIdUnknown"],
    ["a log that begins where the backup ends", held(), living({ logStart: 100 }), "NothingLeft"],
    ["a log that begins behind the backup", held(), living({ logStart: 101 }), "NothingLeft"],
    ["a log that ends within the backup", held(), living({ lastStable: 99 }), "EndWentBack"],
    ["an unknown configuration", held(), living({ cleanup: undefined }), "CleanupUnknown"],
    ["a compacted topic and a young backup", held(), living({ cleanup: compacted }), undefined],
    [
      "a compacted topic whose deletions may be gone, by all but ten minutes",
      held(),
      living({ cleanup: compacted, nowMillis: 24 * hour - 600_000 }),
      "DeletionsMayBeGone"
    ],
    [
      "a topic that was compacted then, and is not now",
      held({ wasCompacted: true }),
      living({ nowMillis: 24 * hour }),
      "DeletionsMayBeGone"
    ],
    [
      "a compacted topic in which a transaction was open, nobody knows since when",
      held({ lackingSinceMillis: undefined }),
      living({ cleanup: compacted }),
      "TransactionWasOpen"
    ],
    [
      "a log without compaction in which a transaction was open",
      held({ lackingSinceMillis: undefined }),
      living(),
      undefined
    ],
    [
      "a compacted topic in which a transaction was open for so long that deletions may be gone",
      held({ lackingSinceMillis: -23 * hour }),
      living({ cleanup: compacted }),
      "DeletionsMayBeGone"
    ],
    ["a log without compaction, by a clock that is behind", held(), living({ isClockBehind: true }), undefined],
    [
      "a compacted topic, by a clock that is behind",
      held(),
      living({ cleanup: compacted, isClockBehind: true }),
      "ClockBehind"
    ],
    ["objects that are gone, too many to be read again", held({ spoilt: "ObjectsMissing" }), living(), "ObjectsMissing"]
  ]
  for (const [name, base, now, reason] of table) {
    it(`${reason === undefined ? "takes over" : "reads in full"} ${name}`, () => {
      assert.strictEqual(Reuse.ofPartition(base, now), reason as never)
    })
  }

  it("tells a new partition from a new topic", () => {
    assert.strictEqual(Reuse.ofPartition(undefined, living(), true), "PartitionNew")
  })

  const offset = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 60 }))
  const id = Schema.Literals(["id", "other", "none"])

  it.prop(
    "takes over only what is provably in the log, and then everything that Kafka still has of it",
    [
      Schema.Struct({
        held: Schema.Struct({
          id,
          from: offset,
          length: offset,
          isSpoilt: Schema.Boolean,
          wasCompacted: Schema.Boolean
        }),
        cuts: Schema.Array(offset),
        living: Schema.Struct({
          id,
          logStart: offset,
          length: offset,
          isCompacted: Schema.Boolean,
          isReadable: Schema.Boolean,
          deleteRetentionMillis: offset,
          nowMillis: offset
        })
      })
    ],
    ([given]) => {
      const topicId = (name: typeof id.Type) => (name === "none" ? undefined : name)
      const { from } = given.held
      const until = from + given.held.length
      const bounds = [...new Set([from, ...given.cuts.filter((cut) => from < cut && cut < until), until])].toSorted(
        (a, b) => a - b
      )
      const segments = bounds.slice(1).map((end, i) => ({ start_offset: bounds[i]!, end_offset: end - 1 }))
      const { isSpoilt, wasCompacted } = given.held
      const spoilt = isSpoilt ? ("ObjectsMissing" as const) : undefined
      const base = held({ from, wasCompacted, spoilt, topicId: topicId(given.held.id), until, segments })
      const { deleteRetentionMillis, isCompacted, isReadable, logStart, nowMillis } = given.living
      const now = living({
        topicId: topicId(given.living.id),
        logStart,
        lastStable: logStart + given.living.length,
        cleanup: isReadable ? { isCompacted, deleteRetentionMillis } : undefined,
        nowMillis
      })
      const reason = Reuse.ofPartition(base, now)
      if (reason !== undefined) return
      assert.isTrue(base.topicId !== undefined && base.topicId === now.topicId)
      assert.isTrue(!isSpoilt && isReadable)
      assert.isTrue(logStart < until && until <= now.lastStable)
      if (isCompacted || base.wasCompacted) assert.isBelow(nowMillis, deleteRetentionMillis)
      const kept = Reuse.kept(segments, logStart)
      const first = Reuse.firstOffset(segments, logStart)
      assert.isAtMost(first, logStart)
      assert.isTrue(kept.every(({ start_offset }) => start_offset >= first))
      for (let at = Math.max(logStart, from); at < until; at++) {
        assert.isTrue(
          kept.some(({ end_offset, start_offset }) => start_offset <= at && at <= end_offset),
          `${at}`
        )
      }
      assert.isAtMost(kept.filter(({ start_offset }) => start_offset < logStart).length, 1, "one may lie astride")
    }
  )
})

describe("Reuse.ofLineage", () => {
  it.each([
    ["the epoch that still grows", { leaderEpoch: 5, endOffset: 180 }, undefined],
    ["the epoch that ended with the backup", { leaderEpoch: 5, endOffset: 100 }, undefined],
    ["an epoch that ends within the backup", { leaderEpoch: 5, endOffset: 99 }, "LogReplaced"],
    ["a log that never had this epoch", { leaderEpoch: 4, endOffset: 180 }, "LogReplaced"],
    ["a log that knows no such epoch", { endOffset: -1 }, "LogReplaced"]
  ])("judges %s", (_name, answer, reason) => {
    assert.strictEqual(Reuse.ofLineage({ until: 100 }, 5, answer), reason as never)
  })
})

describe("Reuse.ofSet", () => {
  const base = { clusterId: "a", settings, sinceFull: 1 }
  const asked = { isFullAsked: false }
  it.each([
    ["a backup of the same cluster", asked, base, { clusterId: "a", settings }, undefined],
    ["another compression", asked, base, { clusterId: "a", settings: { ...settings, compression: "lz4" } }, undefined],
    ["a cluster without an id", asked, base, { settings }, undefined],
    ["no backup", asked, undefined, { settings }, "NoEarlierBackup"],
    ["a wish for a full one", { isFullAsked: true }, base, { settings }, "FullAsked"],
    ["the turn of a full one", { isFullAsked: false, fullEvery: 2 }, base, { settings }, "FullDue"],
    ["not yet the turn of a full one", { isFullAsked: false, fullEvery: 3 }, base, { settings }, undefined],
    ["another cluster", asked, base, { clusterId: "b", settings }, "OtherCluster"],
    ["records, named", asked, base, { settings: { ...settings, format: "records" } }, undefined],
    ["another format", asked, base, { settings: { ...settings, format: "batches" } }, "OtherFormat"],
    ["other headers", asked, base, { settings: { ...settings, includeOffsetHeaders: true } }, "OtherHeaders"]
  ] as const)("judges %s", (_name, policy, earlier, now, reason) => {
    assert.strictEqual(Reuse.ofSet(policy, earlier, now), reason)
  })
})

describe("FullReason", () => {
  it("has a sentence for each reason, and gives one that it does not know as it is", () => {
    for (const reason of fullReasons) assert.match(sentence(reason), /^[a-z].*[^.]$/u)
    assert.strictEqual(sentence("SomethingNewer"), "SomethingNewer")
  })
})
