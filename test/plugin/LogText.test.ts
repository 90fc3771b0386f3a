import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as LogText from "../../src/plugin/LogText.ts"

describe("a line of a log", () => {
  it("is the words of its entry, its facts, and its error below", () => {
    const entry = {
      time: "2026-11-30T04:00:01.250Z",
      level: "warn",
      msg: "retrying",
      topic: "a b",
      n: 3,
      error: "x\ny"
    }
    assert.strictEqual(
      LogText.pretty(JSON.stringify(entry)),
      '04:00:01.250 WARN  retrying topic="a b" n=3\n    x\n    y'
    )
  })

  it("is how far the run is, and how it ended", () => {
    const progress = {
      type: "progress",
      step: "reading",
      percent: 40,
      partitions: 3,
      partitionsDone: 1,
      bytesPerSecond: 1e6
    }
    assert.strictEqual(
      LogText.pretty(JSON.stringify(progress)),
      "progress: 40 %, reading, 1 of 3 partitions, 1.00 MB/s"
    )
    assert.strictEqual(
      LogText.pretty('{"type":"report","outcome":"failed","reason":"NotProven"}'),
      "report: failed NotProven"
    )
  })

  it("stays as it is where it is something else", () => {
    for (const line of ["", "Killed", "{", "{}", "[1]", '{"level":"info"}', '{"msg":1}']) {
      assert.strictEqual(LogText.pretty(line), line)
    }
  })

  it.prop("never fails, whatever a pod writes", [Schema.Unknown], ([value]) => {
    for (const type of ["progress", "report", undefined]) {
      const line =
        JSON.stringify({
          type,
          level: "info",
          msg: "m",
          records: value,
          message: value,
          error: value,
          percent: value,
          step: value
        }) ?? ""
      assert.isString(LogText.pretty(line))
    }
  })
})
