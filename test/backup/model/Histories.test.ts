import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { layer } from "../world.ts"
import { history, type Options, play, shrink, type Step } from "./history.ts"

/** How many histories are played: some in every test run, thousands with `npm run soak`. */
const count = Number(process.env["KBO_BACKUP_HISTORIES"] ?? 40)
const first = Number(process.env["KBO_SEED"] ?? Math.floor(Math.random() * 0x3fff_ffff) + 1)
const stepsEach = 40

const played = (steps: ReadonlyArray<Step>, options: Options) =>
  play(steps, options).pipe(Effect.provide(layer, { local: true }))

const assertHolds = Effect.fnUntraced(function* (seed: number, options: Options) {
  const steps = history(seed, stepsEach)
  const problems = yield* played(steps, options)
  if (problems.length === 0) return
  const shortest = yield* shrink(steps, (shorter) => Effect.map(played(shorter, options), (found) => found.length > 0))
  const found = yield* played(shortest, options)
  const text = shortest.map(({ a, action, b }) => `${action}(${a}, ${b})`).join("\n  ")
  assert.fail(`seed ${seed}:\n  ${found.slice(0, 5).join("\n  ")}\nafter\n  ${text}`)
})

describe("histories of backups", () => {
  it.live(
    `every backup holds what Kafka held, whatever dies (seeds ${first} to ${first + count - 1})`,
    () =>
      Effect.forEach(
        Array.from({ length: count }, (_, i) => first + i),
        (seed) => assertHolds(seed, { isIncremental: true, isJoining: seed % 2 === 0 }),
        { discard: true }
      ),
    { timeout: 3_600_000 }
  )
})
