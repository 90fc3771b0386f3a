import { Schema } from "effect"
import type { CatalogueSummary, SetSummary } from "../../src/outcome/RunSummary.ts"
import type { ActiveRun, EndedMaintenance, EndedRun, Facts } from "../../src/status/Facts.ts"
import type { EndedCheck, PreflightFacts } from "../../src/status/preflight/PreflightFacts.ts"
import type { Condition, Status } from "../../src/status/Status.ts"
import { at } from "../schedule/dueInputs.ts"

export { at }

/** What a reconcile found about checks: nothing, of a resource that is checked at most every six hours. */
export const checks = (over: Partial<PreflightFacts> = {}): Facts["preflight"] => ({
  _tag: "Found",
  facts: {
    isWanted: true,
    everyMillis: 6 * 3_600_000,
    share: 0,
    active: undefined,
    ended: [],
    queue: undefined,
    refusal: undefined,
    handledCheck: undefined,
    ...over
  }
})

/** A check of the first generation that passed at this time of day. */
export const checked = (time: string, over: Partial<EndedCheck> = {}): EndedCheck => ({
  jobName: `orders-check-${time.replace(":", "")}`,
  generation: 1,
  endMillis: at(time),
  outcome: "passed",
  failures: [],
  ...over
})

/** An hourly resource that was made at 06:30 and nothing happened to it. */
export const hourly = (over: Partial<Facts> = {}): Facts => ({
  generation: 1,
  problems: [],
  state: { _tag: "Scheduled", nextMillis: at("13:00"), intervalSeconds: 3600 },
  schedule: { text: "0 * * * *" },
  memory: { observedSchedule: "0 * * * * in UTC", sinceMillis: at("11:30") },
  active: undefined,
  ended: [],
  maintenance: [],
  skipped: [],
  refusedTrigger: undefined,
  unknownAnnotations: undefined,
  catalogue: undefined,
  storedData: {},
  percentPerRun: 2,
  listing: undefined,
  queue: undefined,
  refusal: undefined,
  deletion: undefined,
  drill: { _tag: "None" },
  preflight: checks({ isWanted: false }),
  ignoredStorageBlocks: [],
  ...over
})

/** A resource without schedule. */
export const oneTime = (over: Partial<Facts> = {}): Facts =>
  hourly({
    state: { _tag: "OneTime", isAskedFor: true },
    schedule: {},
    memory: { sinceMillis: at("06:30"), isOnceDone: true },
    ...over
  })

/** The active run of the slot at this time of day. */
export const running = (time: string, over: Partial<ActiveRun> = {}): ActiveRun => ({
  backupId: `orders-20261124-${time.replace(":", "")}00`,
  cause: "schedule",
  startMillis: at(time),
  jobName: `orders-job-${time.replace(":", "")}`,
  ...over
})

/** That run, after five minutes. */
export const succeeded = (time: string, over: Partial<EndedRun> = {}): EndedRun => {
  const { backupId, jobName, cause, startMillis } = running(time)
  return {
    backupId,
    jobName,
    cause,
    startMillis,
    endMillis: startMillis + 300_000,
    outcome: "success",
    size: 1_073_741_824,
    records: 1_000_000,
    notes: [],
    ...over
  }
}

export const failed = (time: string, over: Partial<EndedRun> = {}): EndedRun => {
  const { records: _, size: __, ...run } = succeeded(time)
  return {
    ...run,
    outcome: "failed",
    reason: "KafkaAuthenticationFailed",
    message: "SASL authentication was refused by kafka-0:9092; check Secret kafka-credentials",
    ...over
  }
}

/** The stored set of that run. */
export const stored = (time: string): SetSummary => {
  const { backupId, endMillis, startMillis } = succeeded(time)
  return { backupId, startedMillis: startMillis, completedMillis: endMillis, size: 1_073_741_824, records: 1_000_000 }
}

export const catalogue = (...times: ReadonlyArray<string>): CatalogueSummary => ({
  total: times.length,
  sets: times.map(stored)
})

export const pruned = (over: Partial<EndedMaintenance> = {}): EndedMaintenance => ({
  task: "prune",
  jobName: "orders-prune",
  isSuccess: true,
  removed: 3,
  ...over
})

export const overlapping = (first: string, last = first, count = 1) => ({
  reason: "Overlapping" as const,
  firstMillis: at(first),
  lastMillis: at(last),
  count,
  isAtLeast: false
})

export const condition = (status: Status, type: string): Condition => {
  const found = status.conditions?.find((each) => each.type === type)
  if (found === undefined) throw new Error(`no condition ${type}`)
  return found
}

/** Type, status and reason of a condition. */
export const brief = (status: Status, type: string): string => {
  const { reason, status: answer } = condition(status, type)
  return `${answer} ${reason}`
}

const within = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const few = <S extends Schema.Top>(item: S) => Schema.Array(item).check(Schema.isMaxLength(4))
const Minutes = within(0, 24 * 60 - 1)
const Text = Schema.String.check(Schema.isMaxLength(40))
const Maybe = <S extends Schema.Top>(item: S) => Schema.UndefinedOr(item)

/** Facts of a day in which many things happen, some twice. `made` turns them into facts. */
export const AnyDay = Schema.Struct({
  runs: few(
    Schema.Struct({
      minute: Minutes,
      minutes: within(0, 90),
      outcome: Schema.Literals(["success", "failed", "interrupted"]),
      reason: Schema.Literals([
        "StoreUnavailable",
        "KafkaAuthenticationFailed",
        "NotProven",
        "SecretUnusable",
        "NoSuchReason"
      ]),
      note: Text,
      milliseconds: within(0, 999)
    })
  ),
  skips: few(
    Schema.Struct({
      minute: Minutes,
      minutes: within(0, 90),
      count: within(1, 100),
      reason: Schema.Literals(["Missed", "TooLate", "Overlapping"])
    })
  ),
  sets: Maybe(few(Minutes)),
  unlistedSets: within(0, 3),
  active: Maybe(Minutes),
  trouble: Schema.Boolean,
  state: Schema.Literals(["Scheduled", "ClockBehind", "Unusable", "Suspended", "OneTime", "none"]),
  problem: Schema.Boolean,
  refusedTrigger: Maybe(Text),
  maintenance: few(
    Schema.Struct({ task: Schema.Literals(["prune", "catalogue", "cleanup"]), isSuccess: Schema.Boolean })
  ),
  isQueued: Schema.Boolean,
  isRefused: Schema.Boolean,
  deletion: Maybe(Schema.Literals(["RemovingBackups", "CleanupGivenUp", "JobCreateFailed"])),
  generation: within(1, 3),
  checks: Maybe(
    few(
      Schema.Struct({
        minute: Minutes,
        generation: within(1, 3),
        outcome: Schema.Literals(["passed", "failed", "incomplete"]),
        reason: Schema.Literals(["TargetMissing", "TopicMissing", "NoSuchReason"]),
        text: Text
      })
    )
  )
})
export type AnyDay = typeof AnyDay.Type

const minuteMillis = (minute: number) => at("00:00") + minute * 60_000
const clock = (minute: number) =>
  `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`

/** Backups are those of even minutes, so that a backup that was dropped and a failed run never share an id. */
const even = (minute: number) => minute - (minute % 2)

/** How many minutes the backup of this minute took: it has one end, whoever tells of it. */
const took = (minute: number) => (minute * 7) % 91

const states: Readonly<Record<AnyDay["state"], Facts["state"]>> = {
  Scheduled: { _tag: "Scheduled", nextMillis: at("23:00"), intervalSeconds: 3600 },
  ClockBehind: { _tag: "ClockBehind", untilMillis: at("22:00"), nextMillis: at("23:00") },
  Unusable: { _tag: "Unusable", problems: [{ field: "spec.schedule", message: "has no slot" }] },
  Suspended: { _tag: "Suspended" },
  OneTime: { _tag: "OneTime", isAskedFor: true },
  none: undefined
}

export const made = (day: AnyDay): Facts =>
  hourly({
    generation: day.generation,
    preflight:
      day.checks === undefined
        ? checks({ isWanted: false })
        : checks({
            ended: day.checks
              .toSorted((a, b) => a.minute - b.minute)
              .map(({ generation, minute, outcome, reason, text }) =>
                checked(clock(minute), {
                  // One Job ends one way.
                  jobName: `orders-check-${minute}-${generation}-${outcome}-${reason}`,
                  generation,
                  outcome,
                  ...(outcome === "passed" ? {} : { reason, message: text }),
                  failures: outcome === "failed" ? [{ side: "kafka", reason, message: text, advice: text }] : []
                })
              )
          }),
    problems: day.problem ? [{ field: "spec.topics", message: "is empty" }] : [],
    state: states[day.state],
    schedule: day.state === "OneTime" ? {} : { text: "0 * * * *" },
    ended: day.runs.map(({ milliseconds, minute: drawn, minutes, note, outcome, reason }) => {
      const minute = outcome === "success" ? even(drawn) : drawn | 1
      return {
        ...succeeded(clock(minute)),
        // One Job ends one way, but two Jobs may have been meant to make the set of one id.
        jobName: `orders-job-${minute}-${minutes}-${outcome}`,
        startMillis: minuteMillis(minute) + milliseconds,
        endMillis: minuteMillis(minute + (outcome === "success" ? took(minute) : minutes)) + milliseconds,
        outcome,
        notes: outcome === "success" ? [note] : [],
        ...(outcome === "success" ? {} : { reason, message: note })
      }
    }),
    skipped: day.skips.map(({ count, minute, minutes, reason }) => ({
      reason,
      firstMillis: minuteMillis(minute),
      lastMillis: minuteMillis(count === 1 ? minute : minute + minutes),
      count,
      isAtLeast: false
    })),
    catalogue:
      day.sets === undefined
        ? undefined
        : {
            total: day.sets.length + day.unlistedSets,
            sets: day.sets.map(even).map((minute) => ({
              ...stored(clock(minute)),
              completedMillis: minuteMillis(minute + took(minute))
            }))
          },
    active:
      day.active === undefined
        ? undefined
        : running(
            clock(day.active),
            day.trouble ? { trouble: { reason: "ImagePullFailed", message: "no such image" } } : {}
          ),
    refusedTrigger: day.refusedTrigger,
    maintenance: day.maintenance.map(({ task, isSuccess }, n) => ({ task, isSuccess, jobName: `orders-${task}-${n}` })),
    queue: day.isQueued ? { before: 2, limit: 10, sinceMillis: at("06:30") } : undefined,
    refusal: day.isRefused ? { reason: "QuotaExceeded", message: "exceeded quota" } : undefined,
    deletion: day.deletion === undefined ? undefined : { reason: day.deletion, message: "waits" }
  })
