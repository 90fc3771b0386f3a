import * as Table from "../cli/Table.ts"
import * as Format from "../status/Format.ts"
import type { Condition, Status } from "../status/Status.ts"
import * as Verdict from "../status/Verdict.ts"
import type { View } from "../status/View.ts"
import * as NextStep from "./NextStep.ts"
import { age } from "./StatusText.ts"

/** One resource as people and as programs read it. Pure. */

type Backup = Extract<View, { readonly kind: "KafkaBackup" }>
type Restore = Extract<View, { readonly kind: "KafkaRestore" }>
type Fact = readonly [name: string, value: string | undefined]

const instant = (time: string | undefined, nowMillis: number): string | undefined =>
  time === undefined ? undefined : `${time} (${age(time, nowMillis)})`

const count = (n: number | undefined): string | undefined => (n === undefined ? undefined : Format.count(n))

const plural = (n: number, one: string): string => `${Format.count(n)} ${n === 1 ? one : `${one}s`}`

const holds = ({ lastBackupPartitions, lastBackupRecords, lastBackupSizeText, lastBackupTopics }: Status) => {
  const parts = [
    lastBackupTopics === undefined ? undefined : plural(lastBackupTopics, "topic"),
    lastBackupPartitions === undefined ? undefined : plural(lastBackupPartitions, "partition"),
    lastBackupRecords === undefined ? undefined : plural(lastBackupRecords, "record"),
    lastBackupSizeText
  ].filter((part) => part !== undefined)
  return parts.length === 0 ? undefined : parts.join(", ")
}

const pace = ({ bytesPerSecond, recordsPerSecond }: NonNullable<Status["progress"]>): string | undefined =>
  recordsPerSecond === undefined
    ? undefined
    : [
        `${Format.count(recordsPerSecond)} records/s`,
        ...(bytesPerSecond === undefined ? [] : [`${Format.bytes(bytesPerSecond)}/s`])
      ].join(", ")

/** What is common to the progress of a run and of a restore. */
const progressFacts = (
  found: Status["progress"] | Restore["status"]["progress"],
  nowMillis: number
): ReadonlyArray<Fact> =>
  found === undefined
    ? [["  progress", "not known yet"]]
    : [
        ["  progress", found.percent === undefined ? undefined : `${found.percent} %`],
        ["  step", found.message],
        ["  partitions", `${Format.count(found.partitionsDone)} of ${Format.count(found.partitionsTotal)}`],
        ["  records", Format.count(found.records)],
        ["  done", instant(found.eta, nowMillis)],
        ["  waits for", found.outage === undefined ? undefined : `${found.outage.target}: ${found.outage.cause}`],
        ["  as of", age(found.updatedTime, nowMillis)]
      ]

const ofBackup = ({ isSuspended, schedule, status }: Backup, nowMillis: number): ReadonlyArray<Fact> => {
  const { activeRun, lastBackupId, lastBackupTime, preflight, progress } = status
  return [
    ["last success", lastBackupTime === undefined ? "never" : instant(lastBackupTime, nowMillis)],
    ["  backup", lastBackupId],
    ["  holds", holds(status)],
    ["  took", status.lastBackupDuration],
    ["all backups", status.storedSizeText],
    ["where", status.location],
    ["schedule", schedule === undefined ? "none: it runs once" : `${schedule}${isSuspended ? " (suspended)" : ""}`],
    ["next slot", instant(status.nextScheduledTime, nowMillis)],
    [
      "last check",
      preflight?.outcome === undefined
        ? undefined
        : [preflight.outcome, age(preflight.lastProbeTime, nowMillis)].join(" ").trim()
    ],
    ...(activeRun === undefined
      ? []
      : ([
          ["running now", activeRun.backupId],
          ["  since", instant(activeRun.startTime, nowMillis)],
          ["  pace", progress === undefined ? undefined : pace(progress)],
          ...progressFacts(progress, nowMillis)
        ] satisfies ReadonlyArray<Fact>))
  ]
}

const ofRestore = ({ status }: Restore, nowMillis: number): ReadonlyArray<Fact> => [
  ["phase", status.phase],
  ["backup", status.resolved?.backupId],
  ["  chosen because", status.resolved?.why],
  ["started", instant(status.startTime, nowMillis)],
  ["writes since", instant(status.startedWriting, nowMillis)],
  ["ended", instant(status.completionTime, nowMillis)],
  ["records", count(status.restoredRecords)],
  ["topics", count(status.restoredTopics?.length)],
  ...(status.phase === "Running" ? progressFacts(status.progress, nowMillis) : [])
]

/** Conditions that are not well, without the one that the verdict has said already. */
const unwell = ({ status, verdict }: View): ReadonlyArray<Condition> =>
  (status.conditions ?? []).filter(
    (condition) => condition.type !== verdict.because?.type && Verdict.isUnwell(condition)
  )

export const text = (view: View, nowMillis: number): string => {
  const { kind, name, namespace, verdict } = view
  const because = verdict.because === undefined ? "" : ` (${verdict.because.type}: ${verdict.because.reason})`
  const facts =
    view.kind === "KafkaBackup"
      ? ofBackup(view, nowMillis)
      : view.kind === "KafkaRestore"
        ? ofRestore(view, nowMillis)
        : []
  const conditions = unwell(view)
  const steps = NextStep.of(view)
  return [
    `${kind} ${namespace}/${name}: ${verdict.word}`,
    `${verdict.sentence}${because}`,
    "",
    Table.facts(facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined && fact[1] !== "")),
    ...(conditions.length === 0
      ? []
      : ["", "not well:", ...conditions.map(({ message, reason, type }) => `  ${type} (${reason}): ${message}`)]),
    ...(steps.length === 0 ? [] : ["", "what to do:", ...steps.map((step) => `  ${step}`)])
  ].join("\n")
}

/** The same for programs: the whole status, the verdict and the next steps. */
export const json = (view: View) => ({ ...view, unwell: unwell(view), next: NextStep.of(view) })
