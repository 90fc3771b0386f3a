import { Effect, Schedule, Stream } from "effect"
import * as FramedOutput from "../../cli/FramedOutput.ts"
import * as StandardOutput from "../../cli/StandardOutput.ts"
import type { ObjectRef } from "../../kubernetes/KubernetesApi.ts"
import { hasReason } from "../../kubernetes/KubernetesError.ts"
import { PodLogs } from "../../kubernetes/PodLogs.ts"
import { containerName } from "../../operator/jobs/JobSettings.ts"

/** What has come of a command's output. */
export interface Received {
  /** UTF-16 units of its result. */
  length: number
  /** How many there should be; undefined while the command has not said. */
  wanted: number | undefined
}

const Level: ReadonlySet<unknown> = new Set(["warn", "error", "fatal"])

/** A line of standard error for people: of the log only warnings and errors; undefined for what is left out. */
export const shown = (line: string): string | undefined => {
  if (!line.startsWith('{"time":')) return line
  try {
    const { error, level, msg } = JSON.parse(line) as { readonly [name: string]: unknown }
    if (!Level.has(level)) return undefined
    const why = typeof error === "string" ? `: ${error}` : ""
    return `${String(level)}: ${String(msg)}${why}`
  } catch {
    return line
  }
}

/** A broken connection is opened again: whoever reads again gets the same lines again. */
const again = Schedule.spaced("1 second").pipe(Schedule.upTo({ times: 10 }))

/**
 * Writes the result of a command's pod to standard output while it comes, and what else the pod says to `tell`. Ends
 * with the container.
 */
export const follow = Effect.fn("PodOutput.follow")(function* (
  pod: ObjectRef,
  tell: (line: string) => Effect.Effect<void>
) {
  const logs = yield* PodLogs
  const received: Received = { length: 0, wanted: undefined }
  let done = 0
  const take = (text: string) =>
    Effect.suspend(() => {
      done++
      const line = FramedOutput.decode(text)
      switch (line._tag) {
        case "Output":
          received.length += line.text.length
          return StandardOutput.write(line.text)
        case "End":
          received.wanted = line.length
          return Effect.void
        case "Other": {
          const said = shown(line.text)
          return said === undefined ? Effect.void : tell(said)
        }
      }
    })
  yield* Stream.suspend(() => Stream.drop(logs.lines(pod, { container: containerName, isFollowed: true }), done)).pipe(
    Stream.runForEach(take),
    Effect.retry({
      schedule: again,
      while: (error) => error._tag === "KubernetesError" && hasReason("Unavailable", "Throttled", "Invalid")(error)
    }),
    StandardOutput.untilReaderLeaves
  )
  return received
})
