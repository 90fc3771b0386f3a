import * as Evidence from "./Evidence.ts"
import type { Facts } from "./Facts.ts"
import * as Format from "./Format.ts"
import * as Pause from "./Pause.ts"
import type * as Ready from "./Ready.ts"
import * as Reasons from "./Reasons.ts"
import type { ActiveRun, HistoryEntry, Status } from "./Status.ts"

type Answer<Type extends Reasons.ConditionType> = Ready.Answer<Type>

/** The answer before anything was tried. */
const notYetTried = {
  status: "Unknown",
  reason: "NotYetTried",
  message: "Not checked yet: no run and no check has got that far."
} as const

/** Is the Kafka cluster reached: as the active run shows, or else the newest of runs and checks. */
export const kafka = ({ facts, history, preflight, run }: Ready.Question): Answer<"KafkaReachable"> => {
  const pause = Pause.of(run)
  if (pause?.side === "kafka") return away("BrokerUnreachable", pause)
  if (run.activeRun !== undefined && (run.progress?.records ?? 0) > 0) return reachedNow(run.activeRun)
  const after = lastAttempt(facts, "kafka")
  if (after !== undefined) {
    return { ...after, reason: Reasons.isOf(after.reason, "KafkaReachable") ? after.reason : "BrokerUnreachable" }
  }
  const found = Evidence.newest(history, "kafka")
  const probe = newer(preflight?.kafka, found)
  if (probe !== undefined) return probed(probe, "KafkaReachable", "BrokerUnreachable")
  if (found === undefined) return notYetTried
  if (found.isGood) return reached(found)
  const { reason = "" } = found.entry
  return failed(Reasons.isOf(reason, "KafkaReachable") ? reason : "BrokerUnreachable", found)
}

/** The same of the storage. */
export const storage = ({ facts, history, preflight, run }: Ready.Question): Answer<"StorageReachable"> => {
  const pause = Pause.of(run)
  if (pause?.side === "storage") return away("StoreUnavailable", pause)
  if (run.activeRun !== undefined && (run.progress?.bytes ?? 0) > 0) return reachedNow(run.activeRun)
  const after = lastAttempt(facts, "storage")
  if (after !== undefined) {
    return { ...after, reason: Reasons.isOf(after.reason, "StorageReachable") ? after.reason : "StoreUnavailable" }
  }
  const found = Evidence.newest(history, "storage")
  const probe = newer(preflight?.storage, found)
  if (probe !== undefined) return probed(probe, "StorageReachable", "StoreUnavailable")
  if (found === undefined) return notYetTried
  if (found.isGood) return reached(found)
  const { reason = "" } = found.entry
  return failed(Reasons.isOf(reason, "StorageReachable") ? reason : "StoreUnavailable", found)
}

/** What a check showed, where no run has shown more since. */
const newer = (probe: Side | undefined, found: Evidence.Evidence | undefined): Side | undefined =>
  probe === undefined ||
  (found !== undefined && Format.millis(endOf(found.entry)) >= Format.millis(probe.lastProbeTime))
    ? undefined
    : probe

type Side = NonNullable<NonNullable<Status["preflight"]>["kafka"]>

const probed = <Type extends "KafkaReachable" | "StorageReachable">(
  { by = "a check", lastProbeTime, message = "", reached, reason = "" }: Side,
  type: Type,
  otherwise: Reasons.ReasonOf<Type>
): Answer<Type> =>
  reached
    ? {
        status: "True",
        reason: "Reached" as Reasons.ReasonOf<Type>,
        message: `Last reached at ${lastProbeTime} by ${by}.`
      }
    : {
        status: "False",
        reason: Reasons.isOf(reason, type) ? reason : otherwise,
        message: `The check ${by} ended at ${lastProbeTime}: ${message}`
      }

const away = <Reason extends Reasons.ReasonName>(reason: Reason, pause: Pause.Pause) =>
  ({ status: "False", reason, message: `${Pause.text(pause)}; ${pause.backupId} waits for it.` }) as const

/** Without a time: it is true now, and the message must not change with every progress. */
const reachedNow = ({ backupId }: ActiveRun) =>
  ({ status: "True", reason: "Reached", message: `Reached by ${backupId}, which is running.` }) as const

/** What the last attempt of the active run failed to reach, while another attempt has not shown otherwise. */
const lastAttempt = ({ active }: Facts, side: "kafka" | "storage") => {
  const { after, message } = active?.trouble ?? {}
  if (active === undefined || after === undefined || !Evidence.isFailed(after, side)) return undefined
  const started = `${active.backupId}, which has been running since ${Format.time(active.startMillis)}`
  return { status: "False", reason: after, message: `${started}, is tried again: ${message}` } as const
}

const reached = ({ entry }: Evidence.Evidence) =>
  ({
    status: "True",
    reason: "Reached",
    message: `Last reached at ${endOf(entry)} by ${entry.backupId ?? "the newest run"}.`
  }) as const

/** What a run that failed shows. */
export const failed = <Reason extends Reasons.ReasonName>(reason: Reason, { entry }: Evidence.Evidence) =>
  ({
    status: "False",
    reason,
    message: `${entry.backupId ?? "The newest run"} ended at ${endOf(entry)}: ${entry.message ?? entry.reason ?? ""}`
  }) as const

/** When a run ended, as far as it is known. */
export const endOf = ({ completionTime, startTime }: HistoryEntry): string => completionTime ?? startTime
