import { Context, Effect, Schema } from "effect"
import { exitCodes } from "../outcome/ExitCodes.ts"

/** Standard output cannot be written: its reader has gone (`EPIPE`), or the disk that it is redirected to is full. */
export class OutputEnded extends Schema.TaggedError<OutputEnded>()("OutputEnded", {
  code: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `standard output: ${this.detail}`
  }
  readonly advice = "the output is incomplete; free space where it is written, then repeat the command"
  readonly exitCode = exitCodes.storageUnusable
}

/** Whether this command has written a result: programs expect one document, and not a second one. */
export const Written = Context.Reference<{ isBegun: boolean }>("kafka-backup/cli/StandardOutput/Written", {
  defaultValue: () => ({ isBegun: false })
})

/** Where results go; tests replace it. */
export const Writer = Context.Reference<(text: string) => Effect.Effect<void, OutputEnded>>(
  "kafka-backup/cli/StandardOutput",
  {
    defaultValue: () => (text) =>
      Effect.callback<void, OutputEnded>((resume) => {
        process.stdout.write(text, (error) =>
          resume(
            error
              ? Effect.fail(
                  new OutputEnded({ code: (error as NodeJS.ErrnoException).code ?? "", detail: error.message })
                )
              : Effect.void
          )
        )
      })
  }
)

/**
 * Writes results and waits until they are accepted, so a slow reader slows the command down. Fails when they cannot be
 * written.
 */
export const write = (text: string): Effect.Effect<void, OutputEnded> =>
  Effect.flatMap(Written, (written) => {
    written.isBegun = true
    return Effect.flatMap(Writer, (writer) => writer(text))
  })

/** Prints one result. A reader that has gone (`| head`) is not a failure. */
export const print = (text: string): Effect.Effect<void, OutputEnded> => untilReaderLeaves(write(`${text}\n`))

/** Ends quietly when the reader of standard output has gone. */
export const untilReaderLeaves = <E, R>(
  effect: Effect.Effect<void, E | OutputEnded, R>
): Effect.Effect<void, E | OutputEnded, R> =>
  Effect.catchIf(
    effect,
    (error) => error instanceof OutputEnded && error.code === "EPIPE",
    () => Effect.void
  )
