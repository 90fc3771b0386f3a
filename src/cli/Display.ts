import { Console, Context, Effect } from "effect"

/** The reader of the results: a person gets tables, a program gets JSON lines. */
export type Reader = "person" | "program"

/** A person if standard output is a terminal. The demo sets it to a person always. */
export const Audience = Context.Reference<Reader>("kafka-backup/cli/Audience", {
  defaultValue: () => (process.stdout.isTTY ? "person" : "program")
})

/** Whether standard error is a terminal. */
export const isTerminal = (): boolean => process.stderr.isTTY === true

const wipe = "\r\u001b[2K"

const draw = (text: string) => {
  // Some terminals report 0.
  const width = (process.stderr.columns || 120) - 1
  process.stderr.write(`${wipe}${text.slice(0, width)}`)
}

/** Writes lines to the terminal, over the progress line. */
export const print = (text: string): Effect.Effect<void> =>
  Effect.sync(() => {
    process.stderr.write(`${wipe}${text}\n`)
  })

/** The first line of a log follows after a second: what is quicker needs none. */
const firstAfter = "1 second"
const nextAfter = "10 seconds"

/** Prints `line` to standard error while the effect runs: after a second, and then every ten seconds. */
export const lines =
  (line: () => string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    const print = Effect.suspend(() => Console.error(line()))
    const printing = Effect.forever(Effect.andThen(print, Effect.sleep(nextAfter)))
    return Effect.raceFirst(effect, Effect.andThen(Effect.sleep(firstAfter), printing))
  }

/**
 * Shows `line` while the effect runs: on a terminal as one line that changes, elsewhere (a pipe, the log of a build) as
 * a line every ten seconds.
 */
export const during =
  (line: () => string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => (isTerminal() ? onTerminal(line)(effect) : lines(line)(effect)))

/** On a terminal, shows `line` while the effect runs, updated twice a second, and removes it at the end. */
export const onTerminal =
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
