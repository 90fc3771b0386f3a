import { assert, describe, it } from "@effect/vitest"
import * as PodStatus from "./PodStatus.ts"

const startedAt = new Date("2026-01-02T03:04:05.678Z")
const now = new Date("2026-01-02T03:05:00.999Z")
const facts = { isOutOfMemory: false, startedAt, now }

describe("the end of a process as that of a container", () => {
  it("is completed by code 0 and an error by any other, in whole seconds", () => {
    const times = { startedAt: "2026-01-02T03:04:05Z", finishedAt: "2026-01-02T03:05:00Z" }
    assert.deepStrictEqual(PodStatus.terminated({ code: 0 }, facts), { exitCode: 0, reason: "Completed", ...times })
    assert.deepStrictEqual(PodStatus.terminated({ code: 42 }, facts), { exitCode: 42, reason: "Error", ...times })
  })

  it("is 128 and the signal's number", () => {
    assert.deepInclude(PodStatus.terminated({ signal: "SIGTERM" }, facts), { exitCode: 143, reason: "Error" })
    const killed = PodStatus.terminated({ signal: "SIGKILL" }, { ...facts, isOutOfMemory: true })
    assert.deepInclude(killed, { exitCode: 137, reason: "OOMKilled" })
  })

  it("says why what could not be started was not", () => {
    const end = PodStatus.terminated({ error: "spawn /none ENOENT" }, facts)
    assert.deepInclude(end, { exitCode: 128, reason: "StartError", message: "spawn /none ENOENT" })
  })
})

describe("the termination message", () => {
  const nothing = Buffer.alloc(0)
  const log = Buffer.from("first\nlast\n")
  const withLog = { terminationMessagePolicy: "FallbackToLogsOnError" }

  it("is the file's first 4096 bytes, without half a character", () => {
    const message = PodStatus.terminationMessage({}, Buffer.from(`x${"é".repeat(3000)}`), nothing, false)
    assert.strictEqual(message, `x${"é".repeat(2047)}`)
  })

  it("is the log's end only where that is asked for, after a failure that left no message", () => {
    assert.isUndefined(PodStatus.terminationMessage({}, nothing, log, true))
    assert.isUndefined(PodStatus.terminationMessage(withLog, nothing, log, false))
    assert.strictEqual(PodStatus.terminationMessage(withLog, nothing, log, true), "first\nlast\n")
    assert.strictEqual(PodStatus.terminationMessage(withLog, Buffer.from("own"), log, true), "own")
  })
})
