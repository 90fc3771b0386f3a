import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Context, Effect, Layer, Stream } from "effect"
import * as Shutdown from "../../src/cli/Shutdown.ts"
import * as StandardOutput from "../../src/cli/StandardOutput.ts"
import { InMemoryKubernetes } from "../../src/kubernetes/InMemoryKubernetes.ts"
import { KubernetesApi } from "../../src/kubernetes/KubernetesApi.ts"
import { KubernetesError, NotFound } from "../../src/kubernetes/KubernetesError.ts"
import { PodLogs } from "../../src/kubernetes/PodLogs.ts"
import { Clusters, Place } from "../../src/plugin/Clusters.ts"
import * as Plugin from "../../src/plugin/Plugin.ts"

/** The plugin without a process: what is typed, what comes out, and a cluster in memory. */

export const namespace = "shop"

/** Logs of pods by their names. */
export class Logs extends Context.Service<Logs, Map<string, ReadonlyArray<string>>>()(
  "kafka-backup/test/plugin/Logs"
) {}

const podLogs = Layer.effect(
  PodLogs,
  Effect.map(Logs, (logs) => ({
    lines: ({ name }) => {
      const lines = logs.get(name)
      const missing = new NotFound({ detail: `pods "${name}" not found`, isKindMissing: false })
      return lines === undefined
        ? Stream.fail(new KubernetesError({ request: `get pods/log ${namespace}/${name}`, reason: missing }))
        : Stream.fromIterable(lines)
    }
  }))
)

/** A cluster whose one context is called `test`. */
const clusters = Layer.effect(
  Clusters,
  Effect.gen(function* () {
    const memory = yield* InMemoryKubernetes
    const services = yield* Effect.context<Logs>()
    const cluster = Layer.mergeAll(
      Layer.effect(KubernetesApi, memory.client("user")),
      podLogs,
      Layer.succeed(Place, { context: "test", namespace })
    ).pipe(Layer.provide(Layer.succeedContext(services)))
    return {
      layer: (context) =>
        context === undefined || context === "test"
          ? cluster
          : Layer.effectContext(Effect.fail({ message: `the kubeconfig has no context ${context}` }))
    }
  })
)

export const layer = clusters.pipe(
  Layer.provideMerge(
    Layer.mergeAll(
      InMemoryKubernetes.layer,
      Layer.sync(Logs, () => new Map()),
      NodeServices.layer
    )
  )
)

/** A command line, and what came of it so far: also where Ctrl-C ends it. */
export const prompt = (...args: ReadonlyArray<string>) => {
  const out: Array<string> = []
  const err: Array<string> = []
  const process: typeof Shutdown.Outcome.Service = { exitCode: undefined }
  return {
    process,
    shown: () => ({ out: out.join(""), err: err.join("") }),
    run: Plugin.main(args, { isBegun: false }).pipe(
      Effect.provideService(Shutdown.Outcome, process),
      Effect.provideService(StandardOutput.Writer, (text) => Effect.sync(() => void out.push(text))),
      Effect.provideService(Console.Console, {
        ...console,
        log: (text: string) => void out.push(`${text}\n`),
        error: (text: string) => void err.push(`${text}\n`)
      })
    )
  }
}

/** Types a command behind `kubectl kafka-backup`. */
export const type = (...args: ReadonlyArray<string>) => {
  const { run, shown } = prompt(...args)
  return Effect.map(run, (exitCode) => ({ exitCode, ...shown() }))
}

export const spec = {
  schedule: "0 * * * *",
  kafkaCluster: { bootstrapServers: ["kafka:9092"] },
  topics: ["orders"],
  storage: { storageType: "pvc", pvc: { claimName: "backups" } }
}

export const resource = (name: string, kind = "KafkaBackup", more: object = spec) => ({
  apiVersion: "kafka.oso.sh/v1alpha1",
  kind,
  metadata: { namespace, name },
  spec: more
})
