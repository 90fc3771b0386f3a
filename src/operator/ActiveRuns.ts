import type { Job, Pod } from "../kubernetes/Objects.ts"
import { type Key, keyOf } from "./InformerCache.ts"
import * as JobFacts from "./jobs/JobFacts.ts"
import * as JobStart from "./jobs/JobStart.ts"
import type { Load } from "./RunQueue.ts"

/**
 * How long a Job counts before a container of it has started, in milliseconds: most pods start in this time, so a burst
 * stays within the budget, and pods that cannot start hold nobody up for longer.
 */
export const graceMillis = 60_000

/**
 * The same of checks. Their pods are asked for after every edit, also of a spec that starts no pod, and end within
 * seconds, so a place is worth less than the wait of those that could start.
 */
export const checkGraceMillis = 15_000

interface Run {
  readonly uid: string
  readonly namespace: string
  readonly createdMillis: number
  hasStarted: boolean
}

/** The runs that are not over, and which of them have started. */
export interface ActiveRuns {
  /** A run's Job that is not over; `pods` gives the known pods of its resource. */
  readonly observeJob: (job: Job, pods: () => ReadonlyArray<Pod>) => void
  readonly observePod: (pod: Pod) => void
  readonly end: (job: Key) => void
  readonly clear: () => void
  readonly count: () => number
  /** None of whose containers has started. */
  readonly starting: () => number
  /** What counts towards the budget: every run from the start of its container to its end, and new Jobs for a while. */
  readonly load: (nowMillis: number) => Load
}

/** `grace`: how long a Job counts before a container of it has started, in milliseconds. */
export const make = (grace = graceMillis): ActiveRuns => {
  const runs = new Map<Key, Run>()
  const starting = () => [...runs.values()].filter(({ hasStarted }) => !hasStarted)

  return {
    observeJob: (job, pods) => {
      const { creationTimestamp, namespace = "", uid = "" } = job.metadata
      const key = keyOf(job)
      const known = runs.get(key)
      const run =
        known?.uid === uid
          ? known
          : {
              uid,
              namespace,
              createdMillis: JobFacts.millis(creationTimestamp) ?? 0,
              hasStarted: JobFacts.podsOf(job, pods()).some(JobStart.podStarted)
            }
      run.hasStarted ||= JobFacts.countsAttempts(job)
      runs.set(key, run)
    },
    observePod: (pod) => {
      const { labels, namespace = "" } = pod.metadata
      const run = runs.get(`${namespace}/${labels?.["batch.kubernetes.io/job-name"] ?? ""}`)
      if (run === undefined || run.hasStarted || !JobStart.podStarted(pod)) return
      // A pod of an earlier Job of this name says nothing about the new one.
      run.hasStarted = pod.metadata.ownerReferences?.some(({ uid }) => uid === run.uid) ?? false
    },
    end: (key) => void runs.delete(key),
    clear: () => runs.clear(),
    count: () => runs.size,
    starting: () => starting().length,
    load: (nowMillis) => {
      const counted = new Map<string, number>()
      let total = 0
      for (const { createdMillis, hasStarted, namespace } of runs.values()) {
        if (!hasStarted && nowMillis - createdMillis >= grace) continue
        total++
        counted.set(namespace, (counted.get(namespace) ?? 0) + 1)
      }
      return { total, ofNamespace: (namespace) => counted.get(namespace) ?? 0 }
    }
  }
}
