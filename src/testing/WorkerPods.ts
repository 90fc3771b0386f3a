import { Clock, Context, Deferred, Effect, Fiber, Layer, Option, Result } from "effect"
import * as RunProgress from "../worker/RunProgress.ts"
import * as SecretPatience from "../worker/SecretPatience.ts"
import * as Worker from "../Worker.ts"
import type { KafkaSources } from "../kafka/KafkaSource.ts"
import type { ContainerEnd, PodRun } from "../kubernetes/memory/PodRun.ts"
import type { Pod } from "../kubernetes/Objects.ts"
import type { RunSummary } from "../outcome/RunSummary.ts"
import * as SummaryCodec from "../outcome/SummaryCodec.ts"
import * as ShardDeal from "../manifest/ShardDeal.ts"
import * as JobFacts from "../operator/jobs/JobFacts.ts"
import * as JobTemplate from "../operator/jobs/JobTemplate.ts"
import * as Labels from "../operator/Labels.ts"
import { fromJson, PodProgress, restoreFromJson } from "../operator/PodProgress.ts"
import * as OffsetSpec from "../identity/OffsetSpec.ts"
import * as RestoreSpec from "../identity/RestoreSpec.ts"
import * as RunSpec from "../identity/RunSpec.ts"
import type { KafkaSinks } from "../kafka/KafkaSink.ts"
import * as BackupRef from "../resource/BackupRef.ts"
import * as OffsetsWorker from "../OffsetsWorker.ts"
import * as RestoreProgress from "../restore/RestoreProgress.ts"
import * as CheckWorker from "../CheckWorker.ts"
import * as DrillWorker from "../DrillWorker.ts"
import * as RestoreWorker from "../RestoreWorker.ts"
import type { Secrets } from "../secrets/MountedSecrets.ts"
import type { ObjectStores } from "../storage/ObjectStore.ts"

/** Grace period of a deleted pod, in milliseconds. */
const graceMillis = 30_000

interface Container {
  readonly args?: ReadonlyArray<string>
  readonly env?: ReadonlyArray<{ readonly name: string; readonly value?: string }>
}

const container = (pod: Pod): Container =>
  ((pod.spec as { readonly containers?: ReadonlyArray<Container> } | undefined)?.containers ?? [])[0] ?? {}

/** Which shard the pod reads, as its arguments say once the index of its Job is in them. */
const seatOf = (pod: Pod, args: ReadonlyArray<string>): ShardDeal.Seat | undefined => {
  const given = args[args.indexOf("--shard") + 1]
  const index = JobFacts.shard(pod)
  if (!args.includes("--shard") || given === undefined || index === undefined) return undefined
  return ShardDeal.parseSeat(given.replace(`$(${JobTemplate.indexVariable})`, String(index)))
}

/** The pods of Jobs: they run in this process, with the same code as a pod of a cluster. */
export class WorkerPods extends Context.Service<
  WorkerPods,
  {
    /** For the node of `InMemoryKubernetes`. */
    readonly run: PodRun
    /** Number of pods at work. */
    readonly active: () => number
  }
>()("kafka-backup/testing/WorkerPods") {
  /**
   * Also provides the progress that the operator reads. Claims are mounted as `{volumes}/{claim name}` in every pod.
   */
  static readonly layer = (
    volumes: string
  ): Layer.Layer<WorkerPods | PodProgress, never, KafkaSources | KafkaSinks | ObjectStores | Secrets> =>
    Layer.effectContext(
      Effect.gen(function* () {
        const services = yield* Effect.context<KafkaSources | KafkaSinks | ObjectStores | Secrets>()
        const progressOf = new Map<string, RunProgress.RunProgress>()
        const restoreProgressOf = new Map<string, RestoreProgress.RestoreProgress>()
        let active = 0

        const restore = (
          spec: BackupRef.Restorable,
          stop: Deferred.Deferred<void>,
          progress: RestoreProgress.RestoreProgress
        ) => RestoreWorker.run(spec, progress, { volumes, secretPatienceMillis: SecretPatience.oneTimeMillis, stop })

        const work = (
          pod: Pod,
          stop: Deferred.Deferred<void>,
          progress: RunProgress.RunProgress,
          restoreProgress: RestoreProgress.RestoreProgress
        ): Effect.Effect<RunSummary | undefined, never, KafkaSources | KafkaSinks | ObjectStores | Secrets> => {
          const { args = [], env = [] } = container(pod)
          const text = env.find(({ name }) => name === Labels.runSpecVariable)?.value ?? ""
          if (args[0] === "restore") {
            return Result.match(RestoreSpec.decode(text), {
              onFailure: () => Effect.succeed(undefined),
              onSuccess: (spec) => {
                if (args.includes("--end-hold")) return RestoreWorker.runEndHold(spec)
                const restorable = BackupRef.restorable(spec)
                return restorable === undefined ? Effect.succeed(undefined) : restore(restorable, stop, restoreProgress)
              }
            })
          }
          if (args[0] === "offsets") {
            return Result.match(OffsetSpec.decode(text), {
              onFailure: () => Effect.succeed(undefined),
              onSuccess: (spec) =>
                OffsetsWorker.run(spec, restoreProgress, {
                  volumes,
                  secretPatienceMillis: SecretPatience.oneTimeMillis,
                  stop
                })
            })
          }
          const runSpec = RunSpec.decode(text)
          if (Result.isFailure(runSpec)) return Effect.succeed(undefined)
          const mounts = { volumes, host: pod.metadata.name }
          switch (args[0]) {
            case "run":
              return Worker.run(runSpec.success, {
                ...mounts,
                seat: seatOf(pod, args),
                secretPatienceMillis: SecretPatience.ofJob(runSpec.success.backup),
                stop,
                progress
              })
            case "prune":
              return Worker.prune(runSpec.success, mounts, args.includes("--all") ? { _tag: "All" } : { _tag: "Older" })
            case "drill": {
              const { backup, slot } = runSpec.success
              const secretPatienceMillis = SecretPatience.ofJob(backup)
              return DrillWorker.run(backup, { volumes, secretPatienceMillis, slotMillis: Date.parse(slot), stop })
            }
            case "check":
              return Effect.scoped(CheckWorker.run(runSpec.success, { ...mounts, isQuick: args.includes("--quick") }))
            case "list":
              return Worker.list(runSpec.success, mounts)
            default:
              return Effect.succeed(undefined)
          }
        }

        const run: PodRun = (pod) =>
          Effect.gen(function* () {
            const stop = yield* Deferred.make<void>()
            const progress = RunProgress.make()
            const uid = pod.metadata.uid ?? pod.metadata.name
            const restoreProgress = RestoreProgress.make()
            progressOf.set(uid, progress)
            restoreProgressOf.set(uid, restoreProgress)
            active++
            const fiber = yield* Effect.forkDetach(work(pod, stop, progress, restoreProgress), {
              startImmediately: true
            })
            // Deleting a pod asks its process to stop, and kills it after the grace period.
            const stopped = Deferred.succeed(stop, undefined).pipe(
              Effect.andThen(Effect.timeoutOption(Fiber.await(fiber), graceMillis)),
              Effect.andThen(Fiber.interrupt(fiber))
            )
            return yield* Fiber.join(fiber).pipe(
              Effect.map((summary): ContainerEnd =>
                summary === undefined
                  ? { exitCode: 10 }
                  : { exitCode: summary.exitCode, message: SummaryCodec.encode(summary) }
              ),
              Effect.onInterrupt(() => stopped),
              Effect.ensuring(
                Effect.sync(() => {
                  active--
                  progressOf.delete(uid)
                  restoreProgressOf.delete(uid)
                })
              )
            )
          }).pipe(Effect.provideContext(services))

        const read = (pod: Pod) =>
          Effect.map(Clock.currentTimeMillis, (now) => {
            const progress = progressOf.get(pod.metadata.uid ?? pod.metadata.name)
            return progress === undefined
              ? Option.none()
              : // As over HTTP: undefined fields are absent.
                fromJson(JSON.parse(JSON.stringify(RunProgress.report(progress, now))), now)
          })

        const readRestore = (pod: Pod) =>
          Effect.map(Clock.currentTimeMillis, (now) => {
            const progress = restoreProgressOf.get(pod.metadata.uid ?? pod.metadata.name)
            return progress === undefined
              ? Option.none()
              : restoreFromJson(JSON.parse(JSON.stringify(RestoreProgress.report(progress))), now)
          })

        return Context.make(WorkerPods, { run, active: () => active }).pipe(
          Context.add(PodProgress, { read, readRestore })
        )
      })
    )
}
