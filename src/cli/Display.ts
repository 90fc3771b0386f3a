import { Context, Effect, Schedule } from "effect"

/** Who reads the output: a person gets tables and a progress line, a program gets JSON lines. */
export type Reader = "person" | "program"

/** A person where standard error is a terminal; commands that know better (the demo) say so. */
export const Audience = Context.Reference<Reader>("kafka-backup/cli/Audience", {
  defaultValue: () => (process.stderr.isTTY ? "person" : "program")
})

const draw = (text: string) => {
  if (!process.stderr.isTTY) return process.stderr.write(`${text}\n`)
  const width = (process.stderr.columns ?? 120) - 1
  return process.stderr.write(`\r\u001b[2K${text.slice(0, width)}`)
}

const erase = () => {
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[2K")
}

/** Shows `line` to a person once a second while the effect runs, and wipes it at the end; a program sees nothing of it. */
export const during =
  (line: () => string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Audience, (reader) =>
      reader === "program"
        ? effect
        : Effect.raceFirst(
            effect,
            Effect.sync(() => draw(line())).pipe(
              Effect.schedule(Schedule.spaced("1 second")),
              Effect.andThen(Effect.never)
            )
          ).pipe(Effect.ensuring(Effect.sync(erase)))
    )
