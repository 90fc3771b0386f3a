import { assert, describe, it } from "@effect/vitest"
import { Cause, Data } from "effect"
import { KeepsEverything } from "../../src/backup/Pruning.ts"
import { exitCodes } from "../../src/outcome/ExitCodes.ts"
import { ObjectStoreError, StoreUnavailable } from "../../src/storage/ObjectStoreError.ts"
import * as Explanation from "../../src/worker/Explanation.ts"

const away = new ObjectStoreError({
  operation: "put",
  location: "memory",
  reason: new StoreUnavailable({ detail: "no route" })
})

/** Shaped like a failure of a run, but its reason is in no table. */
class Stranger extends Data.TaggedError("Stranger")<{
  readonly reason: { readonly _tag: string }
  readonly advice: string
  readonly isRetryable: boolean
}> {}

describe("Explanation.explain", () => {
  it("takes reason, advice and exit code of a failure from the error and the table", () => {
    const { advice, exitCode, isRetryable, message, reason } = Explanation.explain(Cause.fail(away))
    assert.deepStrictEqual([reason, exitCode, isRetryable], ["StoreUnavailable", exitCodes.temporary, true])
    assert.deepStrictEqual([message, advice], [away.message, away.advice])
  })

  it("takes the exit code of a command's own error from the error", () => {
    const { exitCode, isRetryable, reason } = Explanation.explain(Cause.fail(new KeepsEverything()))
    assert.deepStrictEqual([reason, exitCode, isRetryable], ["KeepsEverything", exitCodes.usage, false])
  })

  it("distinguishes an interruption from a failure", () => {
    const { exitCode, reason } = Explanation.explain(Cause.interrupt(1))
    assert.deepStrictEqual([reason, exitCode], ["Interrupted", exitCodes.interrupted])
  })

  it.each([
    ["a defect", Cause.die(new Error("boom"))],
    ["a defect beside a failure", Cause.combine(Cause.fail(away), Cause.die(new Error("boom")))],
    ["an error without advice", Cause.fail(new Error("boom"))],
    [
      "an error whose reason is not in the table",
      Cause.fail(new Stranger({ reason: { _tag: "Boom" }, advice: "", isRetryable: true }))
    ]
  ])("reports %s as an internal error", (_, cause) => {
    const { exitCode, isRetryable, reason } = Explanation.explain(cause)
    assert.deepStrictEqual([reason, exitCode, isRetryable], ["InternalError", exitCodes.internal, false])
  })
})
