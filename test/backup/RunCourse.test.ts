import { assert, describe, it } from "@effect/vitest"
import * as RunCourse from "../../src/backup/RunCourse.ts"
import { BackupId } from "../../src/identity/BackupId.ts"
import { KafkaError, LogTruncated } from "../../src/kafka/KafkaError.ts"
import type { RunPlan } from "../../src/manifest/RunPlan.ts"

const partitions = Array.from({ length: 6 }, (_, partition) => ({ partition, from: 0, until: 10 }))

const plan: RunPlan = {
  version: 2,
  backupId: BackupId.make("nightly-20261123-130000"),
  identity: { owner: { name: "nightly" }, slot: "2026-11-23T13:00:00Z" },
  createdMillis: 500,
  bootstrapServers: ["in-memory:9092"],
  settings: { compression: "zstd", compressionLevel: 3, includeOffsetHeaders: false },
  topics: [{ name: "t", replicationFactor: 1, partitions }],
  shards: 3,
  notes: []
}

const error = new KafkaError({
  operation: "fetch",
  reason: new LogTruncated({ topic: "t", partition: 0, position: 5, logEnd: 3 })
})
const replaced: RunCourse.Met = { _tag: "LogReplaced", shard: 2, error }
const segment = { key: "old/segment", start_offset: 0 }
const damaged: RunCourse.Met = {
  _tag: "BaseLost",
  givenUp: [],
  damaged: partitions.map((partition) => ({ topic: "t", partition, segment, detail: "is missing" }))
}
const gone: RunCourse.Met = {
  _tag: "BaseLost",
  givenUp: [{ topic: "t", partition: partitions[0]!, reason: "EarlierGone" }],
  damaged: []
}
const unreadable: RunCourse.Met = { _tag: "Unreadable", shards: [0, 2] }

/** What follows on all of these, one after the other: the shards that are attempted again, or the failure. */
const course = (...all: ReadonlyArray<RunCourse.Met>) => {
  let course = RunCourse.begun
  return all.map((met) => {
    const next = RunCourse.next(plan, course, met)
    if (next._tag === "Failed") return next.error.reason._tag
    course = next.course
    return next.todo.map(({ shard }) => shard)
  })
}

describe("the course of a run", () => {
  it("attempts the shard again whose log was replaced, and fails with it the fourth time", () => {
    assert.deepStrictEqual(course(replaced, replaced, replaced, replaced), [[2], [2], [2], "LogTruncated"])
  })

  it("attempts every shard again that can read what was lost of the base, each with its own part", () => {
    const next = RunCourse.next(plan, RunCourse.begun, damaged)
    if (next._tag === "Failed") throw next.error
    assert.deepStrictEqual(
      next.todo.map(({ lost, shard }) => [shard, lost.damaged.length]),
      [
        [0, 2],
        [1, 2],
        [2, 2]
      ]
    )
  })

  it("fails the fourth time that something stored is not as it was stored, whatever it was", () => {
    assert.deepStrictEqual(course(damaged, unreadable, damaged, unreadable), [
      [0, 1, 2],
      [0, 2],
      [0, 1, 2],
      "NotProven"
    ])
    assert.deepStrictEqual(course(unreadable, replaced, damaged, unreadable, replaced), [
      [0, 2],
      [2],
      [0, 1, 2],
      [0, 2],
      [2]
    ])
  })

  it("goes on as often as retention removes what was to be taken over: the store is not at fault", () => {
    const six = course(gone, gone, gone, gone, gone, gone)
    assert.lengthOf(six, 6)
    for (const shards of six) assert.lengthOf(shards, 1)
  })
})
