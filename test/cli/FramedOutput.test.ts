import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as FramedOutput from "../../src/cli/FramedOutput.ts"

/** What a reader of the log gets of these lines. */
const read = (log: string) => {
  const lines = log.split("\n").slice(0, -1).map(FramedOutput.decode)
  return {
    output: lines.flatMap((line) => (line._tag === "Output" ? [line.text] : [])).join(""),
    length: lines.flatMap((line) => (line._tag === "End" ? [line.length] : [])),
    others: lines.flatMap((line) => (line._tag === "Other" ? [line.text] : []))
  }
}

const framed = Effect.fnUntraced(function* (texts: ReadonlyArray<string>) {
  const log: Array<string> = []
  const { end, write } = FramedOutput.writer((text) => Effect.sync(() => void log.push(text)))
  for (const text of texts) yield* write(text)
  yield* end
  return log.join("")
})

describe("A result among the lines of a log", () => {
  it.effect.prop("is read as it was written, with its length", [Schema.Array(Schema.String)], ([texts]) =>
    Effect.gen(function* () {
      const whole = texts.join("")
      assert.deepStrictEqual(read(yield* framed(texts)), { output: whole, length: [whole.length], others: [] })
    })
  )

  it.effect("is in lines that no container runtime cuts, without half a character", () =>
    Effect.gen(function* () {
      const text = `x${"\u{1f600}".repeat(20_000)}\n\u0000"`
      const log = yield* framed([text])
      assert.strictEqual(read(log).output, text)
      for (const line of log.split("\n")) {
        assert.isBelow(Buffer.byteLength(line), 16_384)
        assert.notInclude(line, "\ufffd")
        assert.isTrue(Buffer.from(line).toString() === line)
      }
    })
  )

  it("is none of the lines that are not marked, whatever they look like", () => {
    const lines = [
      '{"time":"x","level":"info","msg":"m"}',
      '{"stdout":1}',
      '{"stdout":"half',
      '{"stdoutLength":"x"}',
      "",
      "error: x"
    ]
    assert.deepStrictEqual(
      lines.map((line) => FramedOutput.decode(line)._tag),
      lines.map(() => "Other")
    )
  })
})
