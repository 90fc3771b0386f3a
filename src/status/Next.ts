import { given } from "../resource/Json.ts"
import * as Conditions from "./Conditions.ts"
import * as DamageFields from "./DamageFields.ts"
import * as PlaceFields from "./PlaceFields.ts"
import * as Rate from "./Rate.ts"
import * as LockedFields from "./LockedFields.ts"
import * as NextDrill from "./drill/NextDrill.ts"
import type { Facts } from "./Facts.ts"
import * as NextPreflight from "./preflight/NextPreflight.ts"
import * as History from "./History.ts"
import * as HistoryEntries from "./HistoryEntries.ts"
import * as ScheduleFields from "./ScheduleFields.ts"
import type { Status } from "./Status.ts"
import * as VerificationFields from "./VerificationFields.ts"
import * as Format from "./Format.ts"

type LastBackup = Pick<
  Status,
  | "lastBackupId"
  | "lastBackupTime"
  | "lastBackupCompletionTime"
  | "lastBackupSize"
  | "lastBackupSizeText"
  | "lastBackupRecords"
  | "lastBackupTopics"
  | "lastBackupPartitions"
  | "lastBackupDuration"
>

/**
 * The next status. Total, and a function of its arguments alone; of the previous status it keeps only what no fact can
 * give again. With its own answer as the previous status it gives the same answer, also later, unless a backup has
 * become overdue meanwhile.
 */
export const next = (previous: Status, facts: Facts, nowMillis: number): Status => {
  const history = History.next(previous.backupHistory ?? [], facts)
  const truncated = History.truncated(previous, facts, history)
  const last = lastBackup(previous, history, facts)
  const run = active(previous, facts)
  const drill = NextDrill.next(previous.drill, facts.drill)
  const preflight = NextPreflight.next(previous, facts, nowMillis)
  const damage = DamageFields.next(previous.damage, facts.storedData)
  const verification = VerificationFields.next(previous.verification, facts)
  return {
    phase: phase(facts, history, last),
    observedGeneration: facts.generation,
    ...last,
    ...PlaceFields.next(previous, facts, history),
    ...PlaceFields.stored(verification),
    ...adopted(previous, facts),
    ...pinned(previous, facts),
    ...appliedRetention(previous, facts),
    ...nextScheduled(facts),
    ...ScheduleFields.write(facts.memory),
    ...run,
    backupHistory: history,
    ...(truncated === 0 ? {} : { historyTruncated: truncated }),
    ...given({ locked: LockedFields.next(previous.locked, facts), damage, verification, drill, preflight }),
    conditions: Conditions.next(previous.conditions ?? [], {
      facts,
      history,
      last,
      run,
      damage,
      verification,
      drill,
      preflight,
      nowMillis
    })
  }
}

/** Stays when the last adopted backup is gone, so that an adoption is announced once. */
const adopted = ({ adoptedBackups }: Status, { catalogue }: Facts): Pick<Status, "adoptedBackups"> =>
  catalogue === undefined || (catalogue.adopted === undefined && adoptedBackups === undefined)
    ? given({ adoptedBackups })
    : { adoptedBackups: catalogue.adopted ?? 0 }

const pinned = ({ pinnedBackups }: Status, { catalogue }: Facts): Pick<Status, "pinnedBackups"> =>
  given({ pinnedBackups: catalogue === undefined ? pinnedBackups : catalogue.pinned })

/** The rules that the run or prune applied that ended last; none where its retention failed. */
const appliedRetention = (previous: Status, { ended, maintenance }: Facts): Pick<Status, "appliedRetention"> => {
  const last = [
    ...ended.filter(({ outcome }) => outcome === "success"),
    ...maintenance.filter(({ isSuccess, task }) => task === "prune" && isSuccess)
  ]
    .toSorted((a, b) => (a.endMillis ?? 0) - (b.endMillis ?? 0))
    .at(-1)
  return given({ appliedRetention: last === undefined ? previous.appliedRetention : last.retention })
}

/** The newest known success. One that only the previous status has counts until storage is listed and is empty. */
const lastBackup = (previous: Status, history: History.History, facts: Facts): LastBackup => {
  const success = History.lastSuccess(history)
  if (success?.backupId === undefined) return facts.catalogue?.total === 0 ? {} : kept(previous)
  const { backupId, completionTime, partitions, records, size, startTime, topics } = success
  return {
    lastBackupId: backupId,
    lastBackupTime: startTime,
    ...sizes(size),
    ...given({
      lastBackupCompletionTime: completionTime,
      lastBackupRecords: records,
      lastBackupTopics: topics,
      lastBackupPartitions: partitions,
      lastBackupDuration:
        completionTime === undefined
          ? undefined
          : Format.duration(Format.millis(completionTime) - Format.millis(startTime))
    })
  }
}

const kept = (previous: Status): LastBackup => {
  const {
    lastBackupCompletionTime,
    lastBackupDuration,
    lastBackupId,
    lastBackupPartitions,
    lastBackupRecords,
    lastBackupSize,
    lastBackupTime,
    lastBackupTopics
  } = previous
  return lastBackupId === undefined
    ? {}
    : {
        lastBackupId,
        ...sizes(lastBackupSize),
        ...given({
          lastBackupTime,
          lastBackupCompletionTime,
          lastBackupRecords,
          lastBackupTopics,
          lastBackupPartitions,
          lastBackupDuration
        })
      }
}

const sizes = (lastBackupSize: number | undefined) =>
  lastBackupSize === undefined ? {} : { lastBackupSize, lastBackupSizeText: Format.bytes(lastBackupSize) }

const phase = (facts: Facts, history: History.History, last: LastBackup): NonNullable<Status["phase"]> => {
  if (facts.active !== undefined) return "Running"
  const run = History.lastRun(history)
  if (run === undefined) return last.lastBackupId === undefined ? "Pending" : "Completed"
  return run.outcome === "success" ? "Completed" : "Failed"
}

const nextScheduled = ({ deletion, state, problems }: Facts): Pick<Status, "nextScheduledTime" | "nextText"> => {
  if (deletion !== undefined || problems.length > 0) return {}
  if (state?._tag === "Suspended") return { nextText: "suspended" }
  if (state?._tag !== "Scheduled" && state?._tag !== "ClockBehind") return {}
  const nextScheduledTime = Format.time(state.nextMillis)
  return { nextScheduledTime, nextText: nextScheduledTime }
}

/** Most bytes of the name of a store or broker. */
const maxTargetBytes = 512

const prose = (text: string, maxBytes = HistoryEntries.maxMessageBytes): string =>
  Format.cut(Format.line(text), maxBytes)

/** The progress of a run is kept while its pod does not answer; what a pod waited for ends with it. */
const active = (previous: Status, { active }: Facts): Pick<Status, "activeRun" | "progress"> => {
  if (active === undefined) return {}
  const { backupId, isReplacing, isStopped, jobName, cause, progress, startMillis } = active
  const replacing = isReplacing === true ? { replacing: true } : {}
  const activeRun = { backupId, cause, startTime: Format.time(startMillis), jobName, ...replacing }
  if (progress === undefined) {
    if (previous.activeRun?.jobName !== jobName || previous.progress === undefined) return { activeRun }
    const { message: _message, outage, ...rest } = previous.progress
    return { activeRun, progress: outage !== undefined && isStopped === true ? rest : previous.progress }
  }
  const { bytes, message, offsetsDone, outage, partitionsDone, partitionsTotal, percent, records, updatedMillis } =
    progress
  const before = previous.activeRun?.jobName === jobName ? previous.progress : undefined
  return {
    activeRun,
    progress: given({
      partitionsTotal,
      partitionsDone,
      recordsTotal: progress.recordsTotal,
      records,
      bytes,
      offsetsDone,
      ...Rate.of(before, progress),
      percent,
      message: message === undefined ? undefined : prose(message),
      outage:
        outage === undefined
          ? undefined
          : {
              target: prose(outage.target, maxTargetBytes),
              sinceTime: Format.time(outage.sinceMillis),
              cause: prose(outage.cause)
            },
      updatedTime: Format.time(updatedMillis)
    })
  }
}
