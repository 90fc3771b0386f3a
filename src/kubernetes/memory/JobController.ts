import { Clock, Effect, FiberMap, Queue, type Scope } from "effect"
import { jobs, pods } from "../Kind.ts"
import type { KubernetesApiShape } from "../KubernetesApi.ts"
import { hasReason } from "../KubernetesError.ts"
import type { Job, Pod } from "../Objects.ts"
import type { ApiServer } from "./ApiServer.ts"
import * as JobRules from "./JobRules.ts"
import { handling } from "./Loop.ts"
import { timestamp } from "./timestamp.ts"
import * as PodIndex from "./PodIndex.ts"
import * as Tree from "./Tree.ts"

/** Of one index of a Job, or of a Job without indexes. */
interface Progress {
  readonly tally: JobRules.JobTally
  /** Pods that have ended, by uid. */
  readonly judged: ReadonlySet<string>
  /** Pods that had not ended at the last reconcile. */
  readonly active: ReadonlySet<string>
}

const unbegun: Progress = { tally: JobRules.fresh, judged: new Set(), active: new Set() }

const isOver = ({ status }: Pod) => status?.phase === "Succeeded" || status?.phase === "Failed"
const uidOf = ({ metadata }: Job | Pod) => metadata.uid ?? ""

const endMillis = ({ status }: Pod, nowMillis: number): number =>
  Date.parse(status?.containerStatuses?.[0]?.state?.terminated?.finishedAt ?? "") || nowMillis

/** Counts pods that ended since the last reconcile; a pod that was deleted before it ended has failed. */
const advanced = (
  job: Job,
  owned: ReadonlyArray<Pod>,
  { active, judged, tally }: Progress,
  nowMillis: number
): Progress => {
  const news = owned.filter((pod) => isOver(pod) && !judged.has(uidOf(pod)))
  const vanished = [...active].filter((uid) => owned.every((pod) => uidOf(pod) !== uid))
  const afterNews = news.reduce(
    (tally, pod) => JobRules.counted(tally, JobRules.judged(job, pod), endMillis(pod, nowMillis)),
    tally
  )
  return {
    tally: vanished.reduce((tally) => JobRules.counted(tally, { _tag: "Counted" }, nowMillis), afterNews),
    judged: new Set([...judged, ...news.map(uidOf)]),
    active: new Set(owned.filter((pod) => !isOver(pod)).map(uidOf))
  }
}

/**
 * What Kubernetes does for Jobs: creates their pods, one after the other for each index, reports how they end, and
 * removes a Job when its time to live is over.
 */
export const make = (server: ApiServer, api: KubernetesApiShape): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const due = yield* Queue.unbounded<string>()
    const timers = yield* FiberMap.make<string>()
    const progress = new Map<string, ReadonlyArray<Progress>>()
    let created = 0

    server.table.onChange(({ kind, last }) => {
      if (kind.plural === jobs.plural) Queue.offerUnsafe(due, last.metadata.uid ?? "")
      if (kind.plural !== pods.plural) return
      for (const owner of last.metadata.ownerReferences ?? []) Queue.offerUnsafe(due, owner.uid)
    })

    const podOf = (job: Job, index: number | undefined): Pod => {
      const template = Tree.inner(job.spec, "template")
      const { annotations, labels } = Tree.inner(template, "metadata")
      const ofIndex = PodIndex.metadata(index)
      const letters = (28 ** 4 * 7 + ++created * 7_919_117).toString(28).slice(-5)
      return {
        apiVersion: pods.apiVersion,
        kind: pods.kind,
        metadata: {
          name: `${job.metadata.name.slice(0, 54)}${index === undefined ? "" : `-${index}`}-${letters}`,
          namespace: job.metadata.namespace,
          labels: { ...(labels as Readonly<Record<string, string>>), ...ofIndex },
          ...(annotations === undefined && index === undefined
            ? {}
            : { annotations: { ...(annotations as Readonly<Record<string, string>>), ...ofIndex } }),
          ownerReferences: [
            {
              apiVersion: jobs.apiVersion,
              kind: jobs.kind,
              name: job.metadata.name,
              uid: uidOf(job),
              controller: true,
              blockOwnerDeletion: true
            }
          ]
        },
        spec: index === undefined ? template["spec"] : PodIndex.withVariable(template["spec"])
      }
    }

    const report = (job: Job, status: object) =>
      api.patch(jobs, job.metadata, { metadata: { uid: job.metadata.uid }, status }, "status")

    const finish = (
      job: Job,
      tallies: ReadonlyArray<JobRules.JobTally>,
      owned: ReadonlyArray<Pod>,
      end: JobRules.JobEnd,
      nowMillis: number
    ) =>
      Effect.gen(function* () {
        const stopped = owned.filter((pod) => !isOver(pod))
        const failed = tallies.reduce((sum, tally) => sum + tally.failed, 0) + stopped.length
        const { type, ...why } = end
        const condition = (type: string) => ({
          type,
          status: "True",
          lastTransitionTime: timestamp(nowMillis),
          lastProbeTime: timestamp(nowMillis),
          ...why
        })
        yield* report(job, {
          active: null,
          ...(failed > 0 ? { failed } : {}),
          ...(type === "Complete" ? { succeeded: tallies.length, completionTime: timestamp(nowMillis) } : {}),
          conditions: [condition(type === "Complete" ? "SuccessCriteriaMet" : "FailureTarget"), condition(type)]
        })
        for (const pod of stopped) yield* api.remove(pods, pod.metadata)
      })

    /** Takes the next step of an unfinished Job; returns when to reconcile again. */
    const step = (job: Job, nowMillis: number) =>
      Effect.gen(function* () {
        const owned = server.table.dependents(uidOf(job)).map(({ object }) => object as Pod)
        const indexes = JobRules.indexes(job)
        const before = progress.get(uidOf(job)) ?? indexes.map(() => unbegun)
        const now = indexes.map((index, n) => {
          const own = index === undefined ? owned : owned.filter((pod) => PodIndex.of(pod) === index)
          return advanced(job, own, before[n] ?? unbegun, nowMillis)
        })
        progress.set(uidOf(job), now)
        const tallies = now.map(({ tally }) => tally)
        const end = JobRules.end(job, tallies, nowMillis)
        if (end !== undefined) {
          yield* finish(job, tallies, owned, end, nowMillis)
          return Infinity
        }
        let active = now.reduce((sum, one) => sum + one.active.size, 0)
        let nextMillis = Infinity
        for (const [n, { active: own, tally }] of now.entries()) {
          if (own.size > 0 || tally.isSucceeded || JobRules.hasIndexFailed(job, tally)) continue
          const atMillis = JobRules.nextPodMillis(tally)
          if (nowMillis < atMillis) nextMillis = Math.min(nextMillis, atMillis)
          // The end of another one is the next change to arrive.
          else if (active < JobRules.mostActive(job)) {
            yield* api.create(pods, podOf(job, indexes[n]))
            active++
          }
        }
        const failed = tallies.reduce((sum, tally) => sum + tally.failed, 0)
        const succeeded = tallies.filter((tally) => tally.isSucceeded).length
        yield* report(job, {
          startTime: job.status?.startTime ?? timestamp(nowMillis),
          active: active > 0 ? active : null,
          ...(failed > 0 ? { failed } : {}),
          ...(succeeded > 0 ? { succeeded } : {})
        })
        return Math.min(JobRules.deadlineMillis(job), nextMillis)
      })

    const reconcile = (uid: string) =>
      Effect.gen(function* () {
        const stored = server.table.byUid(uid)
        if (stored === undefined || stored.kind.plural !== jobs.plural) {
          progress.delete(uid)
          return yield* FiberMap.remove(timers, uid)
        }
        const job = stored.object as Job
        if (job.metadata.deletionTimestamp !== undefined) return
        // Only Jobs that are created suspended: Kubernetes also stops the pods of one that is suspended later.
        if (job.spec?.["suspend"] === true) return
        const nowMillis = yield* Clock.currentTimeMillis
        const removalMillis = JobRules.removalMillis(job)
        if (removalMillis !== undefined && nowMillis >= removalMillis) {
          return yield* api.remove(jobs, job.metadata, { uid, propagation: "Background" })
        }
        const againMillis = removalMillis ?? (yield* step(job, nowMillis))
        if (againMillis === Infinity) return
        const again = Effect.andThen(Effect.sleep(Math.max(againMillis - nowMillis, 0)), Queue.offer(due, uid))
        yield* FiberMap.run(timers, uid, again)
      }).pipe(
        // The Job or its namespace was deleted during the reconcile: its deletion is the next change to arrive.
        Effect.catchIf(hasReason("NotFound", "Conflict", "Forbidden"), () => Effect.void)
      )

    yield* handling("the Job controller", due, reconcile)
  })
