import { Effect, Stream } from "effect"
import * as FramedOutput from "../../cli/FramedOutput.ts"
import * as StandardOutput from "../../cli/StandardOutput.ts"
import type { ObjectRef } from "../../kubernetes/KubernetesApi.ts"
import { hasReason, KubernetesError } from "../../kubernetes/KubernetesError.ts"
import { PodLogs } from "../../kubernetes/PodLogs.ts"
import { containerName } from "../../operator/jobs/JobSettings.ts"

/** What has come of a command's output. */
export interface Received {
  /** UTF-16 units of its result. */
  length: number
  /** How many there should be; undefined while the command has not said. */
  wanted: number | undefined
  /** Why the last reading of the log broke off. */
  trouble: string | undefined
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

/** A connection that broke, or a container whose log is not there yet: the next reading may do better. */
const isPassing = (error: { readonly _tag: string }): error is KubernetesError =>
  error instanceof KubernetesError && hasReason("Unavailable", "Throttled", "Invalid")(error)

/** The output of one pod. What was read once is not written twice, however often the log is read. */
export const make = (tell: (line: string) => Effect.Effect<void>) => {
  const received: Received = { length: 0, wanted: undefined, trouble: undefined }
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
  return {
    received: received as Readonly<Received>,
    /**
     * Writes the result to standard output while it comes, and tells what else the pod says. Ends with the container,
     * or earlier: when the connection does.
     */
    follow: Effect.fn("PodOutput.follow")(function* (pod: ObjectRef) {
      const logs = yield* PodLogs
      received.trouble = undefined
      // Whoever reads again gets the same lines again.
      yield* logs.lines(pod, { container: containerName, isFollowed: true }).pipe(
        Stream.drop(done),
        Stream.runForEach(take),
        Effect.catchIf(isPassing, (error) => Effect.sync(() => void (received.trouble = error.message))),
        StandardOutput.untilReaderLeaves
      )
    })
  }
}
