import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import { restoreFromJson } from "../../../src/operator/PodProgress.ts"

const nowMillis = 1_000_000

const read = (changes: object) =>
  Option.getOrThrow(
    restoreFromJson(
      {
        step: "writing",
        records: 10,
        bytes: 100,
        partitions: 2,
        partitionsDone: 0,
        percent: 25,
        startedWritingMillis: nowMillis - 20_000,
        ...changes
      },
      nowMillis
    )
  )

describe("the progress of a restore", () => {
  it("estimates its end from what was written so far", () => {
    assert.strictEqual(read({}).etaMillis, nowMillis + 60_000)
    assert.strictEqual(read({ percent: 80 }).etaMillis, nowMillis + 5_000)
  })

  it.each([
    ["before anything is written", { percent: null, startedWritingMillis: undefined }],
    ["in the first seconds", { startedWritingMillis: nowMillis - 9_999 }],
    ["below one percent", { percent: 0.9 }],
    ["when all is written", { percent: 100 }]
  ])("has no estimate %s", (_, changes) => {
    assert.notProperty(read(JSON.parse(JSON.stringify(changes)) as object), "etaMillis")
  })
})
