import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Histories from "./histories.ts"

/** Right after one request and right before the next one the world is the same; the answer alone is lost in between. */
const moments = Histories.count > 0 ? (["before", "after"] as const) : (["before"] as const)

describe("an operator that dies at any of its requests", () => {
  for (const moment of moments) {
    it.live(
      `and is replaced leaves nothing undone and nothing doubled: right ${moment} the request`,
      () =>
        Effect.gen(function* () {
          const calm = yield* Histories.played([])
          expect(calm.problems).toEqual([])
          // docs/reliability.md says so.
          expect(calm.calls.length).toBeGreaterThanOrEqual(50)
          expect(calm.calls.length).toBeLessThan(60)
          const found: Array<string> = []
          for (let index = 1; index <= calm.calls.length; index++) {
            const disturbed = yield* Histories.played([Histories.nth(index, ({ crash }, call) => crash(moment, call))])
            const { kind, subresource = "", verb } = disturbed.calls[index - 1]!
            if (disturbed.replicas !== 2) found.push(`${index}: no operator died`)
            const differences = Histories.differences(calm, disturbed)
            found.push(...differences.map((each) => `${index} (${verb} ${kind} ${subresource}): ${each}`))
          }
          expect(found).toEqual([])
        }),
      300_000
    )
  }
})
