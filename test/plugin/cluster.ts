import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Context, Effect, Layer, Stream } from "effect"
import * as Display from "../../src/cli/Display.ts"
import * as FramedOutput from "../../src/cli/FramedOutput.ts"
import * as Shutdown from "../../src/cli/Shutdown.ts"
import * as StandardOutput from "../../src/cli/StandardOutput.ts"
import { InMemoryKubernetes } from "../../src/kubernetes/InMemoryKubernetes.ts"
import { KubernetesApi } from "../../src/kubernetes/KubernetesApi.ts"
import type { Job, Pod } from "../../src/kubernetes/Objects.ts"
import { PodLogs } from "../../src/kubernetes/PodLogs.ts"
import { Clusters, Place } from "../../src/plugin/Clusters.ts"
import * as Plugin from "../../src/plugin/Plugin.ts"

/** A cluster in memory whose pods write logs, and the plugin in front of it. */

/** The lines that pods have written, by the pod's name. */
export class Written extends Context.Service<Written, Map<string, Array<string>>>()(
  "kafka-backup/test/plugin/Written"
) {}

const written = Layer.sync(Written, () => new Map())

const clusters = Layer.effect(
  Clusters,
  Effect.gen(function* () {
    const memory = yield* InMemoryKubernetes
    const lines = yield* Written
    const user = yield* memory.client("user")
    return Clusters.of({
      layer: () =>
        Layer.mergeAll(
          Layer.succeed(KubernetesApi, user),
          Layer.succeed(Place, { context: "test", namespace: "kafka" }),
          Layer.succeed(PodLogs, {
            lines: ({ name }) => Stream.suspend(() => Stream.fromIterable(lines.get(name) ?? []))
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
  ) => { readonly log: ReadonlyArray<string>; readonly exitCode: number; readonly reason?: string }
) {
  const memory = yield* InMemoryKubernetes
  const lines = yield* Written
  yield* memory.node.run((pod, job) =>
    Effect.sync(() => {
      const { log, ...end } = ends(pod, job)
      lines.set(pod.metadata.name, [...log])
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
