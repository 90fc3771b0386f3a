import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Context, Effect, Layer, Stream } from "effect"
import * as Display from "../../src/cli/Display.ts"
import * as FramedOutput from "../../src/cli/FramedOutput.ts"
import * as Shutdown from "../../src/cli/Shutdown.ts"
import * as StandardOutput from "../../src/cli/StandardOutput.ts"
import { InMemoryKubernetes } from "../../src/kubernetes/InMemoryKubernetes.ts"
import { KubernetesError, Unavailable } from "../../src/kubernetes/KubernetesError.ts"
import { KubernetesApi } from "../../src/kubernetes/KubernetesApi.ts"
import type { Job, Pod } from "../../src/kubernetes/Objects.ts"
import { PodLogs } from "../../src/kubernetes/PodLogs.ts"
import { Clusters, Place } from "../../src/plugin/Clusters.ts"
import * as Plugin from "../../src/plugin/Plugin.ts"

/** A cluster in memory whose pods write logs, and the plugin in front of it. */

/** A log, and after how many lines each of the next readings of it breaks off. */
interface Log {
  readonly lines: ReadonlyArray<string>
  readonly breaks: Array<number>
}

/** What pods have written, by the pod's name. */
export class Written extends Context.Service<Written, Map<string, Log>>()("kafka-backup/test/plugin/Written") {}

const written = Layer.sync(Written, () => new Map())

const clusters = Layer.effect(
  Clusters,
  Effect.gen(function* () {
    const memory = yield* InMemoryKubernetes
    const logs = yield* Written
    const user = yield* memory.client("user")
    return Clusters.of({
      layer: () =>
        Layer.mergeAll(
          Layer.succeed(KubernetesApi, user),
          Layer.succeed(Place, { context: "test", namespace: "kafka" }),
          Layer.succeed(PodLogs, {
            lines: ({ name }) =>
              Stream.suspend(() => {
                const { breaks, lines } = logs.get(name) ?? { breaks: [], lines: [] }
                const after = breaks.shift()
                if (after === undefined) return Stream.fromIterable(lines)
                const reason = new Unavailable({ detail: "the connection broke" })
                return Stream.concat(
                  Stream.fromIterable(lines.slice(0, after)),
                  Stream.fail(new KubernetesError({ request: "get pods/log", reason }))
                )
              })
          })
        )
    })
  })
)

export const layer = clusters.pipe(
  Layer.provideMerge(Layer.mergeAll(InMemoryKubernetes.layer, written)),
  Layer.provideMerge(NodeServices.layer)
)

/** The log of a command that prints this result; `others` are lines of standard error before it. */
export const logOf = (result: string, others: ReadonlyArray<string> = []): ReadonlyArray<string> => [
  ...others,
  ...`${FramedOutput.encode(result)}${FramedOutput.ending(result.length)}`.split("\n").slice(0, -1)
]

/** What the pods of Jobs do from now on: they write this log, and end. */
export const pods = Effect.fnUntraced(function* (
  ends: (
    pod: Pod,
    job: Job
  ) => {
    readonly log: ReadonlyArray<string>
    readonly exitCode: number
    readonly reason?: string
    readonly breaks?: ReadonlyArray<number>
  }
) {
  const memory = yield* InMemoryKubernetes
  const logs = yield* Written
  yield* memory.node.run((pod, job) =>
    Effect.sync(() => {
      const { breaks = [], log, ...end } = ends(pod, job)
      logs.set(pod.metadata.name, { lines: log, breaks: [...breaks] })
      return end
    })
  )
})

/** Types a command of the plugin. */
export const type = (...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const out: Array<string> = []
    const err: Array<string> = []
    const exitCode = yield* Plugin.main(args).pipe(
      Effect.provideService(StandardOutput.Writer, (text) => Effect.sync(() => void out.push(text))),
      Effect.provideService(Display.Audience, "program"),
      Effect.provideService(Shutdown.Outcome, { exitCode: undefined }),
      Effect.provideService(Console.Console, {
        ...console,
        log: (text: string) => void out.push(`${text}\n`),
        error: (text: string) => void err.push(`${text}\n`)
      })
    )
    return { exitCode, out: out.join(""), err: err.join("") }
  })
