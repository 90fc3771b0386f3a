import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Logger, References, Redacted } from "effect"
import { TestClock } from "effect/testing"
import * as LogLine from "../../src/cli/LogLine.ts"

/** The lines that `effect` logs. */
const lines = (effect: Effect.Effect<void>) =>
  Effect.gen(function* () {
    const written: Array<string> = []
    yield* TestClock.setTime(Date.parse("2026-11-25T12:00:00.250Z"))
    yield* effect.pipe(
      Effect.provide(Logger.layer([Logger.map(LogLine.format, (line) => void written.push(line))])),
      Effect.provideService(References.MinimumLogLevel, "All")
    )
    return written
  })

/** The one line that `effect` logs, parsed. */
const line = (effect: Effect.Effect<void>) => Effect.map(lines(effect), ([first = ""]) => JSON.parse(first) as unknown)

const time = "2026-11-25T12:00:00.250Z"

describe("a log line", () => {
  it.effect("has time, level and message first, and nothing that is empty", () =>
    Effect.gen(function* () {
      const [written] = yield* lines(Effect.logInfo("starting"))
      assert.strictEqual(written, `{"time":"${time}","level":"info","msg":"starting"}`)
    })
  )

  it.effect("has the annotations flat, under their own names, in one line", () =>
    Effect.gen(function* () {
      const [written] = yield* lines(
        Effect.logWarning("paused").pipe(Effect.annotateLogs({ target: "storage", waitedMillis: 12, why: "a\nb" }))
      )
      assert.strictEqual(
        written,
        `{"time":"${time}","level":"warn","msg":"paused","target":"storage","waitedMillis":12,"why":"a\\nb"}`
      )
    })
  )

  it.effect("has the text of a cause as its error", () =>
    Effect.gen(function* () {
      const found = yield* line(Effect.logError("reconcile failed", Cause.fail(new Error("no route to host"))))
      const { error, ...rest } = found as { readonly error: string }
      assert.deepStrictEqual(rest, { time, level: "error", msg: "reconcile failed" })
      assert.match(error, /^Error: no route to host\b/)
    })
  )

  it.effect("loses neither its own values nor annotations of the same name", () =>
    Effect.gen(function* () {
      const annotations = { time: "noon", level: 3, msg: "other", error: "refused", "fields.msg": "third" }
      const found = yield* line(
        Effect.logError("run failed", Cause.die("broken")).pipe(Effect.annotateLogs(annotations))
      )
      const { error, ...rest } = found as { readonly error: string }
      assert.include(error, "broken")
      assert.deepStrictEqual(rest, {
        time,
        level: "error",
        msg: "run failed",
        "fields.time": "noon",
        "fields.level": 3,
        "fields.msg": "other",
        "fields.error": "refused",
        "fields.fields.msg": "third"
      })
    })
  )

  it.effect("keeps an annotation called error where there is no cause", () =>
    Effect.gen(function* () {
      const found = yield* line(Effect.logError("run failed").pipe(Effect.annotateLogs({ error: "refused" })))
      assert.deepStrictEqual(found, { time, level: "error", msg: "run failed", error: "refused" })
    })
  )

  it.effect("joins the parts of a message, and shows errors and other values by their text", () =>
    Effect.gen(function* () {
      const found = yield* line(
        Effect.logDebug("events cannot be read:", new Error("gone"), { code: 410 }).pipe(
          Effect.annotateLogs({ cause: new Error("reset"), size: 5n, none: undefined, nothing: null })
        )
      )
      assert.deepStrictEqual(found, {
        time,
        level: "debug",
        msg: 'events cannot be read: gone {"code":410}',
        cause: "reset",
        size: "5n",
        nothing: null
      })
    })
  )

  it.effect("has the milliseconds of spans", () =>
    Effect.gen(function* () {
      const timed = TestClock.adjust("2 seconds").pipe(
        Effect.andThen(Effect.logInfo("listed")),
        Effect.withLogSpan("list")
      )
      const found = yield* line(timed)
      assert.deepStrictEqual(found, {
        time: "2026-11-25T12:00:02.250Z",
        level: "info",
        msg: "listed",
        listMillis: 2000
      })
    })
  )

  it.effect("never shows a secret", () =>
    Effect.gen(function* () {
      const [written] = yield* lines(
        Effect.logInfo("opened", Redacted.make("hunter2")).pipe(
          Effect.annotateLogs({ password: Redacted.make("hunter2"), target: { key: Redacted.make("hunter2") } })
        )
      )
      assert.notInclude(written!, "hunter2")
    })
  )
})
