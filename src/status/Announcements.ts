import { strimziReasonIn } from "../outcome/StrimziReasons.ts"
import { triggerAnnotation } from "../resource/KafkaBackup.ts"
import * as SkippedSlots from "../schedule/SkippedSlots.ts"
import * as DrillAnnouncements from "./drill/DrillAnnouncements.ts"
import { type EventReasonName, eventReasons } from "./EventReasons.ts"
import type { EndedRun, Facts, RunCauseName } from "./Facts.ts"
import * as HistoryEntries from "./HistoryEntries.ts"
import * as PreflightAnnouncements from "./preflight/PreflightAnnouncements.ts"
import * as Pause from "./Pause.ts"
import * as StoredDataAnnouncements from "./StoredDataAnnouncements.ts"
import type { ConditionType } from "./Reasons.ts"
import type { Condition, Status } from "./Status.ts"
import * as Format from "./Format.ts"

/** A Kubernetes Event to be. */
export interface Announcement {
  readonly type: "Normal" | "Warning"
  /** Part of the API: see EventReasons.ts. */
  readonly reason: EventReasonName
  readonly action: string
  /** At most `maxNoteBytes`. */
  readonly note: string
}

/** The API server's bound. */
export const maxNoteBytes = 1024

/**
 * What to announce now that `next` follows `previous`. Only what is new: where both say the same, nothing. To be
 * emitted before `next` is written, so that a crash between the two announces something twice rather than never.
 */
export const announcements = (previous: Status, facts: Facts, next: Status): ReadonlyArray<Announcement> => [
  ...spec(previous, next),
  ...ended(previous, facts, next),
  ...handledBefore(facts),
  ...adoption(previous, next),
  ...gaps(previous, facts, next),
  ...started(previous, facts, next),
  ...replaced(previous, next),
  ...trigger(previous, facts, next),
  ...annotations(previous, facts, next),
  ...trouble(previous, next),
  ...paused(previous, facts, next),
  ...[
    ...StoredDataAnnouncements.notes(previous, facts, next),
    ...DrillAnnouncements.notes(previous, facts.drill, next),
    ...PreflightAnnouncements.notes(previous, next)
  ].map(([reason, note]) => announcement(reason, note))
]

const announcement = (reason: EventReasonName, note: string): Announcement => ({
  type: eventReasons[reason].type,
  reason,
  action: eventReasons[reason].action,
  note: Format.cut(Format.line(note), maxNoteBytes)
})

const condition = (status: Status, type: ConditionType): Condition | undefined =>
  status.conditions?.find((found) => found.type === type)

/** Ready's reasons that are announced when they appear, and again when an edit leaves a mistake in the spec. */
const spec = (previous: Status, next: Status): ReadonlyArray<Announcement> => {
  const before = condition(previous, "Ready")
  const now = condition(next, "Ready")
  switch (now?.reason) {
    case "InvalidSpec":
    case "InvalidSchedule": {
      const isNew = before?.reason !== now.reason || before.observedGeneration !== now.observedGeneration
      return isNew ? [announcement(now.reason, now.message)] : []
    }
    case "StrimziUnresolved": {
      const isSame = before?.reason === now.reason && strimziReasonIn(before.message) === strimziReasonIn(now.message)
      return isSame ? [] : [announcement(now.reason, now.message)]
    }
    case "JobRefused":
    case "BackupOverdue":
    case "ClockBehind":
      return before?.reason === now.reason ? [] : [announcement(now.reason, now.message)]
    default:
      return []
  }
}

const isReported = (status: Status, run: EndedRun): boolean =>
  status.backupHistory?.some(
    ({ backupId, jobName, outcome }) =>
      outcome === run.outcome && (jobName === undefined ? backupId === run.backupId : jobName === run.jobName)
  ) ?? false

/** A trigger value that was used before gives no new backup, though somebody asked for one. */
const isHandledBefore = ({ cause, wasComplete }: EndedRun): boolean => wasComplete === true && cause === "trigger"

const handledBefore = ({ ended }: Facts): ReadonlyArray<Announcement> =>
  ended
    .filter(isHandledBefore)
    .map(({ backupId, endMillis }) =>
      announcement(
        "TriggerHandledBefore",
        `The trigger value was used before: its backup ${backupId} was completed at ${Format.time(endMillis)}. Set annotation ${triggerAnnotation} to a new value for a new backup.`
      )
    )

/** Said once for a resource, when its first adopted backups are found. */
const adoption = (previous: Status, { adoptedBackups = 0 }: Status): ReadonlyArray<Announcement> => {
  if (previous.adoptedBackups !== undefined || adoptedBackups === 0) return []
  const [what, counts] =
    adoptedBackups === 1 ? ["1 backup", "counts"] : [`${Format.count(adoptedBackups)} backups`, "count"]
  return [
    announcement(
      "BackupsAdopted",
      `${what} of an earlier resource with this namespace, name and sourceClusterId ${counts} as backups of this one: in the history, for spec.retention and for spec.deletionPolicy.`
    )
  ]
}

const endings = { success: "BackupSucceeded", failed: "BackupFailed", interrupted: "BackupInterrupted" } as const

const ended = (previous: Status, facts: Facts, next: Status): ReadonlyArray<Announcement> =>
  firstOfEach(facts.ended, ({ jobName }) => jobName)
    .filter((run) => isReported(next, run) && !isReported(previous, run) && !isHandledBefore(run))
    .map((run) => announcement(endings[run.outcome], ending(run)))

const ending = ({
  backupId,
  endMillis,
  message,
  notes,
  outcome,
  reason,
  records,
  size,
  startMillis
}: EndedRun): string => {
  if (outcome !== "success") {
    return `${backupId} ${outcome === "failed" ? "failed" : "was interrupted"}: ${message ?? reason ?? "no reason was reported"}`
  }
  const held =
    records === undefined || size === undefined ? "" : `: ${Format.count(records)} records, ${Format.bytes(size)}`
  const notable = notes.length === 0 ? "" : `. Note: ${notes.join("; ")}`
  return `${backupId} is complete and verified${held}, in ${Format.duration(endMillis - startMillis)}${notable}`
}

const gaps = (previous: Status, facts: Facts, next: Status): ReadonlyArray<Announcement> => {
  const records = (status: Status, gap: SkippedSlots.SkippedSlots) =>
    status.backupHistory?.some((entry) => HistoryEntries.covers(entry, gap)) ?? false
  return firstOfEach(facts.skipped, ({ firstMillis, reason }) => `${reason} ${firstMillis}`)
    .filter((gap) => records(next, gap) && !records(previous, gap))
    .map((gap) => announcement("SlotsSkipped", SkippedSlots.sentence(gap)))
}

const because: Readonly<Record<RunCauseName, string>> = {
  schedule: "by schedule",
  trigger: "by trigger",
  once: "as the one-time backup"
}

const started = (previous: Status, { active, schedule }: Facts, next: Status): ReadonlyArray<Announcement> => {
  if (active === undefined || next.activeRun === undefined) return []
  const { backupId, cause, jobName } = active
  const before = previous.activeRun
  if (before === undefined || before.jobName !== next.activeRun.jobName) {
    const why = cause === "once" && schedule.text !== undefined ? "as the first backup" : because[cause]
    return [announcement("BackupStarted", `${backupId} started ${why}, in Job ${jobName}`)]
  }
  return before.backupId === backupId
    ? []
    : [announcement("BackupStarted", `Job ${jobName} makes ${backupId}, because the id ${before.backupId} is taken`)]
}

const replaced = (previous: Status, { activeRun }: Status): ReadonlyArray<Announcement> =>
  activeRun?.replacing !== true || previous.activeRun?.replacing === true
    ? []
    : [
        announcement(
          "JobReplaced",
          `${activeRun.backupId}: the spec or the operator's configuration changed before the run began, so Job ${activeRun.jobName ?? ""} is made again`
        )
      ]

const trigger = (previous: Status, { refusedTrigger }: Facts, next: Status): ReadonlyArray<Announcement> => {
  if (refusedTrigger === undefined) return []
  const mentions = (status: Status) =>
    condition(status, "Warnings")?.message.includes(Format.line(refusedTrigger)) ?? false
  return mentions(next) && !mentions(previous) ? [announcement("TriggerRefused", refusedTrigger)] : []
}

/** Once for each misspelt name, not again where another warning comes or goes. */
const annotations = (previous: Status, { unknownAnnotations }: Facts, next: Status): ReadonlyArray<Announcement> => {
  if (unknownAnnotations === undefined) return []
  const mentions = (status: Status) => condition(status, "Warnings")?.message.includes(unknownAnnotations) ?? false
  return mentions(next) && !mentions(previous) ? [announcement("AnnotationUnknown", unknownAnnotations)] : []
}

/** Once for each kind of trouble of a Job: the words may change with every reconcile, as counts of nodes do. */
const trouble = (previous: Status, next: Status): ReadonlyArray<Announcement> => {
  const now = condition(next, "Progressing")
  if (now?.reason !== "PodTrouble") return []
  const before = condition(previous, "Progressing")
  const kind = (message: string) => message.slice(0, message.indexOf(":"))
  const isNew =
    before?.reason !== "PodTrouble" ||
    previous.activeRun?.jobName !== next.activeRun?.jobName ||
    kind(before.message) !== kind(now.message)
  return isNew ? [announcement("PodTrouble", `${next.activeRun?.backupId ?? "The run"}: ${now.message}`)] : []
}

/** Once for each pause, and once at its end. A run that fails in a pause says so itself. */
const paused = (previous: Status, { active, ended }: Facts, next: Status): ReadonlyArray<Announcement> => {
  const before = Pause.of(previous)
  const now = Pause.of(next)
  if (now !== undefined) {
    const isKnown = before?.backupId === now.backupId && before.target === now.target
    return isKnown ? [] : [announcement("BackupPaused", `${now.backupId} is paused: ${Pause.text(now)}`)]
  }
  if (before === undefined) return []
  const isAnswered =
    (active?.jobName === previous.activeRun?.jobName && active?.progress !== undefined) ||
    ended.some(({ jobName, outcome }) => jobName === previous.activeRun?.jobName && outcome === "success")
  return isAnswered
    ? [announcement("BackupResumed", `${before.target} answers again, and ${before.backupId} continues`)]
    : []
}

const firstOfEach = <A>(items: ReadonlyArray<A>, key: (item: A) => string): ReadonlyArray<A> => [
  ...items
    .reduce((found, item) => (found.has(key(item)) ? found : found.set(key(item), item)), new Map<string, A>())
    .values()
]
