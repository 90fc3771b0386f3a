import { Effect, Result, Stream } from "effect"
import type { Duration, Scope } from "effect"
import * as BackupId from "../../../src/identity/BackupId.ts"
import * as RunSpec from "../../../src/identity/RunSpec.ts"
import * as Kind from "../../../src/kubernetes/Kind.ts"
import type { ContainerEnd } from "../../../src/kubernetes/memory/PodRun.ts"
import type { Job, Pod } from "../../../src/kubernetes/Objects.ts"
import type { DrillSummary } from "../../../src/outcome/DrillSummary.ts"
import type { RunSummary } from "../../../src/outcome/RunSummary.ts"
import * as SummaryCodec from "../../../src/outcome/SummaryCodec.ts"
import { drillAnnotation } from "../../../src/resource/KafkaBackup.ts"
import type { Status } from "../../../src/status/Status.ts"
import type { OperatorHarness } from "../../../src/testing/OperatorHarness.ts"
import { condition, hourly, purposeOf, story as played, world } from "../world.ts"

export { metric } from "../world.ts"

/** A KafkaBackup that is backed up every hour, and drilled at a quarter past each full hour. */
export const drilled = (
  name: string,
  drill: Readonly<Record<string, unknown>> = {},
  spec: Readonly<Record<string, unknown>> = {}
) => hourly(name, { drill: { schedule: "15 * * * *", ...drill }, ...spec })

export const summary = (over: Partial<DrillSummary> = {}): DrillSummary => ({
  result: "Passed",
  capturedAt: "2026-11-25T12:00:00Z",
  topics: 1,
  partitions: 2,
  records: 100,
  bytes: 4096,
  seconds: 3,
  estimatedSeconds: 312,
  comparedLiveRecords: 90,
  leftTopicCount: 0,
  leftTopics: [],
  ...over
})

const ended = (over: Partial<RunSummary>): ContainerEnd => {
  const { exitCode = 0 } = over
  const outcome = exitCode === 0 ? "success" : exitCode === 21 ? "interrupted" : "failed"
  const message = SummaryCodec.encode({
    version: 1,
    command: "drill",
    outcome,
    exitCode,
    startedAt: "2026-11-25T12:15:00Z",
    completedAt: "2026-11-25T12:15:03Z",
    backupId: "shop-20261125-120000",
    notes: [],
    ...over
  })
  return { exitCode, message }
}

/** How the pod of a drill ends. */
export const passes = ended({ drill: summary() })
export const differs = ended({
  exitCode: 16,
  reason: "Differs",
  message: "live log differs from the backup at orders[0] offset 17",
  advice: "do not rely on the backup",
  drill: summary({ result: "Failed", records: 17 })
})
export const unanswered = ended({
  exitCode: 20,
  reason: "BrokerUnreachable",
  message: "no broker answers",
  drill: summary({ result: "Failed", records: 0 })
})
export const nothing = ended({
  notes: ["storage holds no verified backup"],
  drill: summary({ result: "NothingToDrill", records: 0 })
})

/**
 * The pods of backups succeed at once; those of drills do as `play` says, each in turn and the last one for
 * ever.
 */
export interface Script {
  readonly takes: Duration.Input
  readonly ends: ReadonlyArray<ContainerEnd>
}

const backedUp = (pod: Pod): ContainerEnd => {
  const container = (pod.spec as { readonly containers: ReadonlyArray<{ readonly env: ReadonlyArray<Variable> }> })
    .containers[0]
  const text = container?.env.find(({ name }) => name === "KAFKA_BACKUP_RUN_SPEC")?.value ?? ""
  const { backup, slot } = Result.getOrThrow(RunSpec.decode(text))
  const backupId = BackupId.forSlot(backup.metadata.name, Date.parse(slot))
  if (purposeOf(pod) === "cleanup") return ended({ command: "prune" })
  if (purposeOf(pod) === "catalogue") {
    const times = { startedMillis: Date.parse(slot), completedMillis: Date.parse(slot) + 1000 }
    return ended({ command: "list", catalogue: { total: 1, sets: [{ backupId, size: 8192, records: 100, ...times }] } })
  }
  return ended({
    command: "run",
    backupId,
    size: 8192,
    records: 100
  })
}

interface Variable {
  readonly name: string
  readonly value?: string
}

/** The harness with pods that follow a script, and with everything that ever became of the Jobs of drills. */
export const drillWorld = Effect.gen(function* () {
  const made = yield* world
  const { kubectl, kubernetes } = made
  const { behind } = kubernetes
  let script: Script = { takes: "3 seconds", ends: [passes] }
  let played = 0
  /** By uid. */
  const jobs = new Map<string, Job>()
  const together: Array<string> = []
  yield* kubernetes.node.run((pod) => {
    if (purposeOf(pod) !== "drill") return Effect.succeed(backedUp(pod))
    const end = script.ends[Math.min(played++, script.ends.length - 1)]!
    return Effect.as(Effect.sleep(script.takes), end)
  })
  yield* behind.watch(Kind.jobs, {}).pipe(
    Stream.runForEach((delta) =>
      Effect.sync(() => {
        for (const job of delta._tag === "Snapshot" ? delta.items : [delta.object]) {
          if (purposeOf(job) === "drill") jobs.set(job.metadata.uid ?? "", job)
        }
      })
    ),
    Effect.forkScoped({ startImmediately: true })
  )
  yield* behind.watch(Kind.pods, {}).pipe(
    Stream.runForEach(() =>
      Effect.gen(function* () {
        const { items } = yield* behind.list(Kind.pods, {})
        const running = items.filter((pod) => purposeOf(pod) === "drill" && pod.status?.phase === "Running")
        const names = running.map(({ metadata }) => metadata.labels?.["kafka.oso.sh/name"] ?? "")
        together.push(...names.filter((one, index) => names.indexOf(one) !== index))
      })
    ),
    Effect.forkScoped({ startImmediately: true })
  )
  return {
    ...made,
    behind,
    plays: (next: Partial<Script>) =>
      Effect.sync(() => {
        script = { ...script, ...next }
        played = 0
      }),
    drill: (name: string, token: string) => kubectl.annotate(name, drillAnnotation, token),
    /** Slots or tokens of all drills that ever had a Job, by time. */
    drills: Effect.sync(() =>
      [...jobs.values()].map(
        ({ metadata: { annotations = {} } }) =>
          annotations["kafka.oso.sh/trigger"] ?? annotations["kafka.oso.sh/slot"] ?? ""
      )
    ),
    drillJobs: Effect.map(behind.list(Kind.jobs, {}), ({ items }) => items.filter((job) => purposeOf(job) === "drill")),
    /** Resources of which two drills ran at the same time. */
    together: Effect.sync(() => together),
    /** Reasons of Events about drills, oldest first. */
    drillEvents: Effect.map(kubectl.events, (events) =>
      events.map(({ reason }) => reason ?? "").filter((reason) => reason.startsWith("Drill"))
    )
  }
})

export const restorable = (status: Status) => condition(status, "Restorable")

/** A test that plays one story. */
export const story = <E>(name: string, play: Effect.Effect<void, E, OperatorHarness | Scope.Scope>) =>
  played(name, Effect.scoped(play))
