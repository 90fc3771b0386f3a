import { Effect, Stream } from "effect"
import type { Call, Fault, Plan } from "../../src/kubernetes/memory/Faults.ts"
import * as Kind from "../../src/kubernetes/Kind.ts"
import type { Job } from "../../src/kubernetes/Objects.ts"
import type { Status } from "../../src/status/Status.ts"
import { TestClock } from "effect/testing"
import { hourly, purposeOf, quiet, setsIn, world } from "./world.ts"

/** What a disturbance may do. */
export interface Means {
  /** The process dies right before or right after this request; a new one starts some seconds later. */
  readonly crash: (moment: "before" | "after", call: Call) => Fault
  /** Watches of this kind, or of every kind, report that much later. */
  readonly hold: (millis: number, kind?: Kind.Kind) => Fault
  /** Watches lose their history and begin anew. */
  readonly relist: Fault
}

/** Which faults meet which requests of the operator. */
export type Disturbance = (means: Means) => Plan

/** What must be the same however the operator fares. */
export interface Snapshot {
  readonly phase: Status["phase"]
  readonly lastBackupRecords: number | undefined
  readonly nextScheduledTime: string | undefined
  readonly lastScheduledTime: string | undefined
  readonly observedSchedule: string | undefined
  readonly handledTrigger: string | undefined
  readonly pendingTrigger: string | undefined
  readonly skippedSlots: number | undefined
  readonly activeRun: string | undefined
  readonly history: ReadonlyArray<string>
  readonly conditions: ReadonlyArray<string>
  readonly sets: number
}

/** What one history came to. */
export interface Played {
  readonly calls: ReadonlyArray<Call>
  readonly snapshots: ReadonlyArray<Snapshot>
  /** Every Job that ever was: purpose, and for runs what they are for. */
  readonly jobs: ReadonlyArray<string>
  /** Every set that was ever completed. */
  readonly sets: ReadonlyArray<string>
  /** Reasons of Events, each once. */
  readonly events: ReadonlyArray<string>
  readonly replicas: number
  readonly problems: ReadonlyArray<string>
}

/** How long no operator runs after a crash, in milliseconds. */
const downMillis = 7_000

/**
 * A resource's life, with everything that can happen in it: a slot, a trigger, retention lowered, a failed slot, a
 * trigger that cures it, and deletion with the data. Long enough after each step for what was disturbed to heal.
 * `leaders` operators believe to lead.
 */
export const played = (disturbances: ReadonlyArray<Disturbance>, leaders = 1): Effect.Effect<Played> =>
  Effect.gen(function* () {
    const { advance, backups, cluster, kubectl, kubernetes, start } = yield* world
    const problems: Array<string> = []

    const jobsSeen = new Map<string, Job>()
    yield* kubernetes.behind.watch(Kind.jobs, {}).pipe(
      Stream.runForEach((delta) =>
        Effect.sync(() => {
          const objects = delta._tag === "Snapshot" ? delta.items : [delta.object]
          for (const job of objects) jobsSeen.set(job.metadata.uid ?? "", job)
        })
      ),
      Effect.forkScoped({ startImmediately: true })
    )

    let replicas = 0
    const stops = new Map<string, Effect.Effect<void>>()
    const begin = Effect.suspend(() => start({ name: `operator-${++replicas}` })).pipe(
      Effect.map(({ name, stop }) => void stops.set(name, stop))
    )
    const crash: Means["crash"] = (moment, { client }) => ({
      _tag: "Crash",
      moment,
      kill: (stops.get(client) ?? Effect.void).pipe(Effect.andThen(Effect.sleep(downMillis)), Effect.andThen(begin))
    })
    const scope = yield* Effect.scope
    const means: Means = {
      crash,
      hold: (millis, kind) => {
        const released = Effect.andThen(Effect.sleep(millis), kubernetes.releaseWatches())
        return {
          _tag: "Run",
          moment: "before",
          effect: Effect.andThen(kubernetes.holdWatches(kind), Effect.forkIn(released, scope))
        }
      },
      relist: { _tag: "Run", moment: "after", effect: kubernetes.relistWatches() }
    }
    for (const disturbance of disturbances) yield* kubernetes.plan(disturbance(means))
    yield* Effect.replicateEffect(begin, leaders, { discard: true })

    const snapshots: Array<Snapshot> = []
    const observe = Effect.gen(function* () {
      const status = yield* kubectl.status("hourly")
      snapshots.push(snapshot(status, setsIn(yield* backups.keys).length))
    })

    yield* kubectl.apply(hourly("hourly", { deletionPolicy: "Delete", retention: { backups: 3 } }))
    yield* advance("20 minutes") // 12:10, after the slot
    yield* observe
    yield* kubectl.trigger("hourly", "first")
    yield* advance("10 minutes")
    yield* observe
    yield* kubectl.patch("hourly", { spec: { retention: { backups: 1 } } })
    yield* advance("10 minutes")
    yield* observe
    yield* cluster.deleteTopic("orders")
    yield* advance("40 minutes") // 13:10, after a slot that fails
    yield* observe
    yield* cluster.createTopic("orders", { partitions: 2 })
    yield* cluster.produce("orders", 1, [{ key: "k", value: "v" }])
    yield* kubectl.trigger("hourly", "second")
    yield* advance("10 minutes")
    yield* observe
    yield* kubectl.delete("hourly")
    yield* advance("20 minutes")
    if (yield* kubectl.exists("hourly")) problems.push("the resource is still there")
    const left = setsIn(yield* backups.keys)
    if (left.length > 0) problems.push(`data is still there: ${left.join(", ")}`)

    const puts = yield* backups.calls
    const sets = [
      ...new Set(setsIn(puts.flatMap(({ key, operation }) => (operation === "put" ? [key] : []))))
    ].toSorted()
    return {
      calls: yield* kubernetes.calls,
      snapshots,
      jobs: [...jobsSeen.values()].map(described).toSorted(),
      sets,
      events: [...new Set((yield* kubectl.events).map(({ reason }) => reason ?? ""))].toSorted(),
      replicas,
      problems
    }
  }).pipe(Effect.scoped, Effect.provide(quiet), Effect.provide(TestClock.layer()), Effect.orDie)

const described = (job: Job): string => {
  const { annotations = {} } = job.metadata
  const purpose = purposeOf(job) ?? "?"
  return purpose === "run" ? `run ${annotations["kafka.oso.sh/trigger"] ?? annotations["kafka.oso.sh/slot"]}` : purpose
}

const snapshot = (status: Status, sets: number): Snapshot => ({
  phase: status.phase,
  lastBackupRecords: status.lastBackupRecords,
  nextScheduledTime: status.nextScheduledTime,
  lastScheduledTime: status.lastScheduledTime,
  observedSchedule: status.observedSchedule,
  handledTrigger: status.handledTrigger,
  pendingTrigger: status.pendingTrigger?.token,
  skippedSlots: status.skippedSlots,
  activeRun: status.activeRun?.jobName,
  history: (status.backupHistory ?? []).map(
    ({ cause, outcome, reason = "", records = 0 }) => `${outcome} ${cause} ${records} ${reason}`
  ),
  conditions: (status.conditions ?? []).map(({ reason, status, type }) => `${type}=${status} ${reason}`),
  sets
})

/**
 * In what a disturbed history came out differently from the undisturbed one; empty when no difference is visible
 * afterwards.
 */
export const differences = (calm: Played, disturbed: Played, isWithEvents = true): ReadonlyArray<string> => {
  const differ = (what: string, expected: unknown, found: unknown) => {
    const [left, right] = [JSON.stringify(expected), JSON.stringify(found)]
    return left === right ? [] : [`${what}: expected ${left}, found ${right}`]
  }
  // One that was over before anybody saw it begin is not said to have begun.
  const missing = calm.events.filter((reason) => !reason.endsWith("Started") && !disturbed.events.includes(reason))
  return [
    ...disturbed.problems,
    ...differ("Jobs", calm.jobs, disturbed.jobs),
    // A trigger's set is named after the moment in which the trigger was seen.
    ...differ("number of sets", calm.sets.length, disturbed.sets.length),
    ...calm.snapshots.flatMap((expected, index) =>
      Object.entries(expected).flatMap(([field, value]) =>
        differ(`snapshot ${index + 1}, ${field}`, value, disturbed.snapshots[index]?.[field as keyof Snapshot])
      )
    ),
    ...(missing.length === 0 || !isWithEvents ? [] : [`no Event ${missing.join(", ")}`])
  ]
}

/** How many histories are tried where they are without number: few in every test run, more by the environment. */
export const count = Number(process.env["KBO_HISTORIES"] ?? 0)

/** The fault meets the `nth` request of the operator, counted over all its processes. */
export const nth =
  (index: number, fault: (means: Means, call: Call) => Fault): Disturbance =>
  (means) =>
  (call) =>
    call.index === index ? [fault(means, call)] : []
