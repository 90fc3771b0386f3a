import { Clock, Duration, Effect, Exit, type Scope } from "effect"
import * as Planning from "./backup/Planning.ts"
import * as SpecRequest from "./backup/SpecRequest.ts"
import * as BackupId from "./identity/BackupId.ts"
import type { RunSpec } from "./identity/RunSpec.ts"
import { slotText } from "./identity/RunIdentity.ts"
import { KafkaSources } from "./kafka/KafkaSource.ts"
import type { KafkaTarget } from "./kafka/KafkaTarget.ts"
import type { RunPlan } from "./manifest/RunPlan.ts"
import type { CheckFailure } from "./outcome/CheckSummary.ts"
import { exitCodes } from "./outcome/ExitCodes.ts"
import type { RunSummary } from "./outcome/RunSummary.ts"
import type { KafkaBackup } from "./resource/KafkaBackup.ts"
import type { Secrets } from "./secrets/MountedSecrets.ts"
import { ObjectStores } from "./storage/ObjectStore.ts"
import type { StorageTarget } from "./storage/StorageTarget.ts"
import * as CommandSummary from "./worker/CommandSummary.ts"
import * as Connections from "./worker/Connections.ts"
import * as Explanation from "./worker/Explanation.ts"
import * as Memory from "./worker/Memory.ts"
import * as Preflight from "./worker/Preflight.ts"

/* What the command check does, without a process: everything that a run needs is tried, and no backup is made. */

/** One thing that was tried, and how that ended. */
export interface Check {
  readonly subject: CheckFailure["side"]
  readonly name: string
  readonly outcome: "ok" | "failed"
  /** In a few words; for a failure what happened. */
  readonly detail: string
  /** Of a failure. */
  readonly failure?: { readonly reason: string; readonly advice: string; readonly exitCode: number }
}

/** What was tried, and what a run would read now, where that is known. */
export interface Checked {
  readonly checks: ReadonlyArray<Check>
  readonly plan: RunPlan | undefined
}

export interface CheckOptions<R> {
  /** Name of the machine, for people. */
  readonly host: string
  readonly storage: Effect.Effect<StorageTarget, unknown, R>
  readonly kafka: Effect.Effect<KafkaTarget, unknown, R>
  /** Leave out the object as large as a segment: it was tried before. */
  readonly isQuick: boolean
  /** Is told what is under way. */
  readonly begins: (name: string) => void
  /** Longest time for each of storage and Kafka; absent: as long as it takes. */
  readonly within?: Duration.Input
}

const failed = (subject: Check["subject"], name: string, exit: Exit.Failure<unknown, unknown>): Check => {
  const { advice, exitCode, message, reason } = Explanation.explain(exit.cause)
  return { subject, name, outcome: "failed", detail: message, failure: { reason, advice, exitCode } }
}

const passed = (subject: Check["subject"], name: string, detail: string): Check => ({
  subject,
  name,
  outcome: "ok",
  detail
})

const ofStorage = Effect.fnUntraced(function* <R>(backup: KafkaBackup, options: CheckOptions<R>) {
  const opened = yield* Effect.exit(
    Effect.gen(function* () {
      return yield* (yield* ObjectStores).open(yield* options.storage)
    })
  )
  if (Exit.isFailure(opened)) return [failed("storage", "reachable", opened)]
  const store = opened.value
  const owner = SpecRequest.owner(backup)
  const { settings } = SpecRequest.request(backup, { owner, slot: slotText(0) }, options.host)
  const { segmentBytes } = Memory.bounds(settings, Memory.limitBytes())
  const results = yield* Preflight.checkStorage(store, owner, options.isQuick ? 0 : segmentBytes, (name) =>
    options.begins(`storage ${name}`)
  )
  return [
    passed("storage", "reachable", store.location),
    ...results.map(({ exit, name }) =>
      Exit.isFailure(exit) ? failed("storage", name, exit) : passed("storage", name, exit.value ?? "")
    )
  ]
})

const ofKafka = Effect.fnUntraced(function* <R>(backup: KafkaBackup, options: CheckOptions<R>) {
  const opened = yield* Effect.exit(
    Effect.gen(function* () {
      return yield* (yield* KafkaSources).open(yield* options.kafka)
    })
  )
  if (Exit.isFailure(opened)) return { checks: [failed("kafka", "reachable", opened)], plan: undefined }
  const source = opened.value
  const slotMillis = yield* Clock.currentTimeMillis
  const request = SpecRequest.request(backup, SpecRequest.identity(backup, slotText(slotMillis)), options.host)
  // The same plan as in a run; it is not stored.
  const plan = yield* Effect.exit(Planning.make(source, request, BackupId.forSlot(backup.metadata.name, slotMillis)))
  const reachable = passed("kafka", "reachable", source.location)
  return Exit.isFailure(plan)
    ? { checks: [reachable, failed("kafka", "topics", plan)], plan: undefined }
    : { checks: [reachable], plan: plan.value }
})

const silent = (subject: Check["subject"], within: Duration.Input): Check => ({
  subject,
  name: "reachable",
  outcome: "failed",
  detail: `${subject === "kafka" ? "the Kafka cluster" : "the storage"} did not answer everything within ${Duration.toSeconds(within)} s`,
  failure:
    subject === "kafka"
      ? {
          reason: "BrokerUnreachable",
          advice: "check bootstrapServers, the brokers' advertised addresses, DNS and network policies",
          exitCode: exitCodes.temporary
        }
      : {
          reason: "StoreUnavailable",
          advice: "check the endpoint, DNS and network policies, and whether the store is overloaded",
          exitCode: exitCodes.temporary
        }
})

/** Tries everything that a run needs: storage and Kafka at the same time. Never fails: what fails is in the result. */
export const checked = <R>(
  backup: KafkaBackup,
  options: CheckOptions<R>
): Effect.Effect<Checked, never, R | KafkaSources | ObjectStores | Scope.Scope> => {
  const { within } = options
  const bounded = <A, E, R2>(work: Effect.Effect<A, E, R2>, orElse: (limit: Duration.Input) => A) =>
    within === undefined
      ? work
      : Effect.timeoutOrElse(work, { duration: within, orElse: () => Effect.succeed(orElse(within)) })
  return Effect.all(
    [
      bounded(ofStorage(backup, options), (limit) => [silent("storage", limit)]),
      bounded(ofKafka(backup, options), (limit) => ({ checks: [silent("kafka", limit)], plan: undefined }))
    ],
    { concurrency: 2 }
  ).pipe(Effect.map(([storage, { checks, plan }]) => ({ checks: [...storage, ...checks], plan })))
}

/** Those of the checks that failed. */
export const failures = ({ checks }: Pick<Checked, "checks">): ReadonlyArray<CheckFailure & { exitCode: number }> =>
  checks.flatMap(({ detail, failure, subject }) =>
    failure === undefined ? [] : [{ side: subject, message: detail, ...failure }]
  )

/** The summary that a pod reports, however the checks ended. Instants are milliseconds since 1970. */
export const summary = (
  startedMillis: number,
  completedMillis: number,
  exit: Exit.Exit<Pick<Checked, "checks">, unknown>
): RunSummary => {
  const found = Exit.isSuccess(exit) ? failures(exit.value) : []
  const told = CommandSummary.of("check", startedMillis, completedMillis, exit, () => ({ check: { failures: found } }))
  const [first] = found
  if (first === undefined) return told
  const { advice, exitCode, message, reason } = first
  return { ...told, outcome: "failed", exitCode, reason, message, advice }
}

/** Longest time for each side in a pod: shorter than the deadline of its Job, so that it can still tell. */
export const podLimit: Duration.Input = "90 seconds"

/** Carries the checks out as a pod does, and returns the summary that it reports. */
export const run = Effect.fn("CheckWorker.run")(function* (
  { backup }: RunSpec,
  { host, isQuick, volumes }: { readonly host: string; readonly isQuick: boolean; readonly volumes: string | undefined }
): Effect.fn.Return<RunSummary, never, KafkaSources | ObjectStores | Secrets | Scope.Scope> {
  const startedMillis = yield* Clock.currentTimeMillis
  const exit = yield* Effect.exit(
    checked(backup, {
      host,
      isQuick,
      storage: Connections.storage(backup.spec.storage, volumes),
      kafka: Connections.kafka(backup.spec.kafkaCluster),
      begins: () => undefined,
      within: podLimit
    })
  )
  return summary(startedMillis, yield* Clock.currentTimeMillis, exit)
}, Effect.scoped)
