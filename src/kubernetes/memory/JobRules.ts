import type { Job, Pod } from "../Objects.ts"
import * as Tree from "./Tree.ts"

/** How an ended pod counts for its Job. */
export type PodOutcome =
  | { readonly _tag: "Succeeded" }
  /** Counts towards backoffLimit. */
  | { readonly _tag: "Counted" }
  /** Is replaced without being counted. */
  | { readonly _tag: "Ignored" }
  | { readonly _tag: "FailsJob"; readonly message: string }

interface Rule {
  readonly action: string
  readonly onExitCodes?: { readonly operator: string; readonly values: ReadonlyArray<number> }
  readonly onPodConditions?: ReadonlyArray<{ readonly type: string; readonly status?: string }>
}

const rulesOf = ({ spec }: Job): ReadonlyArray<Rule> => {
  const rules = Tree.inner(spec, "podFailurePolicy")["rules"]
  return Array.isArray(rules) ? (rules as ReadonlyArray<Rule>) : []
}

const isMet = ({ onExitCodes, onPodConditions }: Rule, { status }: Pod): boolean => {
  const codes = (status?.containerStatuses ?? []).flatMap(({ state }) => state?.terminated?.exitCode ?? [])
  if (onExitCodes !== undefined) {
    const { operator, values } = onExitCodes
    return codes.some((code) => code !== 0 && values.includes(code) === (operator === "In"))
  }
  return (onPodConditions ?? []).some((wanted) =>
    (status?.conditions ?? []).some(({ status, type }) => type === wanted.type && status === (wanted.status ?? "True"))
  )
}

/** Judges a pod that has ended. */
export const judged = (job: Job, pod: Pod): PodOutcome => {
  if (pod.status?.phase === "Succeeded") return { _tag: "Succeeded" }
  const rules = rulesOf(job)
  const index = rules.findIndex((rule) => isMet(rule, pod))
  const { name, namespace } = pod.metadata
  switch (rules[index]?.action) {
    case "Ignore":
      return { _tag: "Ignored" }
    case "FailJob": {
      const [status] = pod.status?.containerStatuses ?? []
      const what = rules[index]?.onExitCodes
        ? `Container ${status?.name} for pod ${namespace}/${name} failed with exit code ${status?.state?.terminated?.exitCode}`
        : `Pod ${namespace}/${name} has condition DisruptionTarget`
      return { _tag: "FailsJob", message: `${what} matching FailJob rule at index ${index}` }
    }
    default:
      return { _tag: "Counted" }
  }
}

/** Counts of a Job's pods so far. */
export interface JobTally {
  readonly failed: number
  /** All failures, ignored ones too: each delays the next pod. */
  readonly setbacks: number
  readonly lastSetbackMillis: number
  readonly isSucceeded: boolean
  readonly failsJob?: string
}

export const fresh: JobTally = { failed: 0, setbacks: 0, lastSetbackMillis: 0, isSucceeded: false }

export const counted = (tally: JobTally, outcome: PodOutcome, atMillis: number): JobTally => {
  if (outcome._tag === "Succeeded") return { ...tally, isSucceeded: true }
  const delayed = { ...tally, setbacks: tally.setbacks + 1, lastSetbackMillis: atMillis }
  if (outcome._tag === "Ignored") return delayed
  const failed = { ...delayed, failed: tally.failed + 1 }
  return outcome._tag === "FailsJob" ? { ...failed, failsJob: outcome.message } : failed
}

const firstDelayMillis = 10_000
const longestDelayMillis = 600_000

/** When the next pod may be created. */
export const nextPodMillis = ({ lastSetbackMillis, setbacks }: JobTally): number =>
  setbacks === 0 ? 0 : lastSetbackMillis + Math.min(firstDelayMillis * 2 ** (setbacks - 1), longestDelayMillis)

export type JobEnd =
  | { readonly type: "Complete"; readonly reason: string; readonly message: string }
  | { readonly type: "Failed"; readonly reason: string; readonly message: string }

const numberOf = (job: Job, field: string): number | undefined => {
  const value = job.spec?.[field]
  return typeof value === "number" ? value : undefined
}

/** When activeDeadlineSeconds run out. */
export const deadlineMillis = (job: Job): number => {
  const seconds = numberOf(job, "activeDeadlineSeconds")
  const start = job.status?.startTime
  return seconds === undefined || start === undefined ? Infinity : Date.parse(start) + seconds * 1000
}

/** The indexes of an Indexed Job; a single undefined one of any other Job, which has one pod at a time. */
export const indexes = (job: Job): ReadonlyArray<number | undefined> =>
  job.spec?.["completionMode"] === "Indexed"
    ? Array.from({ length: numberOf(job, "completions") ?? 1 }, (_, index) => index)
    : [undefined]

/** How many pods may be at work at the same time. */
export const mostActive = (job: Job): number => numberOf(job, "parallelism") ?? 1

/** An index has failed for good: `backoffLimitPerIndex` is used up. */
export const hasIndexFailed = (job: Job, { failed, isSucceeded }: JobTally): boolean => {
  const limit = numberOf(job, "backoffLimitPerIndex")
  return !isSucceeded && limit !== undefined && failed > limit
}

/** Whether the Job is over, and how, from the tallies of its indexes. */
export const end = (job: Job, tallies: ReadonlyArray<JobTally>, nowMillis: number): JobEnd | undefined => {
  const failed = (reason: string, message: string): JobEnd => ({ type: "Failed", reason, message })
  const failsJob = tallies.find((tally) => tally.failsJob !== undefined)?.failsJob
  if (failsJob !== undefined) return failed("PodFailurePolicy", failsJob)
  const lost = tallies.filter((tally) => hasIndexFailed(job, tally)).length
  if (lost > (numberOf(job, "maxFailedIndexes") ?? Infinity)) {
    return failed("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes")
  }
  if (tallies.every((tally) => tally.isSucceeded)) {
    return { type: "Complete", reason: "CompletionsReached", message: "Reached expected number of succeeded pods" }
  }
  if (lost > 0 && tallies.every((tally) => tally.isSucceeded || hasIndexFailed(job, tally))) {
    return failed("FailedIndexes", "Job has failed indexes")
  }
  const unlimited = numberOf(job, "backoffLimitPerIndex") === undefined ? 6 : Infinity
  if (tallies.reduce((sum, tally) => sum + tally.failed, 0) > (numberOf(job, "backoffLimit") ?? unlimited)) {
    return failed("BackoffLimitExceeded", "Job has reached the specified backoff limit")
  }
  if (nowMillis >= deadlineMillis(job)) {
    return failed("DeadlineExceeded", "Job was active longer than specified deadline")
  }
  return undefined
}

/** When a finished Job is to be removed: `undefined` when it is not finished, `Infinity` when never. */
export const removalMillis = ({ spec, status }: Job): number | undefined => {
  const over = status?.conditions?.find(({ status, type }) => /^(Complete|Failed)$/.test(type) && status === "True")
  if (over === undefined) return undefined
  const seconds = spec?.ttlSecondsAfterFinished
  return seconds === undefined ? Infinity : Date.parse(over.lastTransitionTime ?? "") + seconds * 1000
}
