import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as seeds from "./seeds.ts"
import { history, shrink, text } from "./Step.ts"

/** Histories of every test run: the same ones each time, so that a change that breaks one is the change at hand. */
const usual = 200

/** `npm run soak` plays thousands, and other ones each time. */
const count = Number(process.env["KBO_BACKUP_HISTORIES"] ?? usual)
const first = Number(process.env["KBO_SEED"] ?? (count <= usual ? 0 : Math.floor(Math.random() * 0x3fff_ffff) + 1))

const assertHolds = Effect.fnUntraced(function* (seed: number) {
  const steps = history(seed, seeds.stepsEach)
  if ((yield* seeds.problems(seed, steps)).length === 0) return
  const shortest = yield* shrink(steps, (shorter) =>
    Effect.map(seeds.problems(seed, shorter), (found) => found.length > 0)
  )
  const found = yield* seeds.problems(seed, shortest)
  assert.fail(`seed ${seed}:\n  ${found.slice(0, 5).join("\n  ")}\nafter\n  ${shortest.map(text).join("\n  ")}`)
})

describe("histories of backups", () => {
  it.live(
    `every backup holds what Kafka held, whatever dies (seeds ${first} to ${first + count - 1})`,
    () =>
      Effect.forEach(
        Array.from({ length: count }, (_, i) => first + i),
        assertHolds,
        { discard: true }
      ),
    { timeout: 4 * 3_600_000 }
  )
})
