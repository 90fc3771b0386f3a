import { Context, Effect } from "effect"

/** Who reads the results: a person gets tables, a program gets JSON lines. */
export type Reader = "person" | "program"

/** A person where standard output is a terminal; commands that know better (the demo) say so. */
export const Audience = Context.Reference<Reader>("kafka-backup/cli/Audience", {
  defaultValue: () => (process.stdout.isTTY ? "person" : "program")
})

/** Whether somebody sees standard error as it is written. */
export const isTerminal = (): boolean => process.stderr.isTTY === true

const wipe = "\r\u001b[2K"

const draw = (text: string) => {
  // Some terminals say 0.
  const width = (process.stderr.columns || 120) - 1
  process.stderr.write(`${wipe}${text.slice(0, width)}`)
}

/** Writes lines to a terminal, in place of a progress line. */
export const say = (text: string): Effect.Effect<void> =>
  Effect.sync(() => {
    process.stderr.write(`${wipe}${text}\n`)
  })

/** On a terminal, shows `line` and renews it twice a second while the effect runs, and wipes it at the end. */
export const during =
  (line: () => string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() =>
      isTerminal()
        ? Effect.raceFirst(
            effect,
            Effect.sync(() => draw(line())).pipe(Effect.andThen(Effect.sleep("500 millis")), Effect.forever)
          ).pipe(Effect.ensuring(Effect.sync(() => process.stderr.write(wipe))))
        : effect
    )
