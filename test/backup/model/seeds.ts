import { Effect } from "effect"
import { layer } from "../world.ts"
import { play } from "./play.ts"
import { history } from "./Step.ts"

/*
 * `node test/backup/model/seeds.ts FIRST COUNT [PATTERN]` plays the histories of these seeds, and ends with 1 at the
 * first one of which a problem matches the regular expression; by default, at the first one that goes wrong. The
 * histories of Mutants.test.ts run so, on a copy of the sources.
 */

/** Steps of a history. */
export const stepsEach = 40

/** What goes wrong in the history of a seed, or in these of its steps. */
export const problems = (seed: number, steps = history(seed, stepsEach)) =>
  play(steps, { isJoining: seed % 2 === 0 }).pipe(
    Effect.provide(layer, { local: true }),
    // A defect breaks every law.
    Effect.catchCause((cause) => Effect.succeed([String(cause)]))
  )

// Most errors are answers that are expected, and nobody looks at where they come from.
Error.stackTraceLimit = 0

if (import.meta.main) {
  const [first = 1, count = 1] = process.argv.slice(2, 4).map(Number)
  const pattern = new RegExp(process.argv[4] ?? "", "u")
  for (let seed = first; seed < first + count; seed++) {
    const found = (await Effect.runPromise(problems(seed))).find((problem) => pattern.test(problem))
    if (found === undefined) continue
    process.stdout.write(`seed ${seed}: ${found}\n`)
    process.exit(1)
  }
}
