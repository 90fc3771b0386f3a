import { Clock, type Duration, Effect } from "effect"
import type { RunReport } from "../backup/RunReport.ts"
import type { Explained } from "../worker/Explanation.ts"
import * as RunProgress from "../worker/RunProgress.ts"
import * as Format from "../status/Format.ts"
import * as Display from "./Display.ts"
import * as FailureText from "./FailureText.ts"
import * as Quantities from "./Quantities.ts"
import * as StandardOutput from "./StandardOutput.ts"
import * as Table from "./Table.ts"

/** Average rate and time left, since reading started. */
const pace = (progress: RunProgress.RunProgress, doneBefore: number, elapsedMillis: number) => {
  const seconds = Math.max(0.001, elapsedMillis / 1000)
  const done = progress.offsetsDone - doneBefore
  const left = progress.offsets - progress.offsetsDone
  return {
    bytesPerSecond: progress.fetchedBytes / seconds,
    // The first second is not representative.
    leftMillis: done > 0 && elapsedMillis >= 1000 ? (left / done) * elapsedMillis : undefined
  }
}

const stepText = (step: RunProgress.RunProgress["step"]): string => (step === "retaining" ? "applying retention" : step)

/** The progress line of a run; exported for its tests. */
export const line = (progress: RunProgress.RunProgress, doneBefore: number, elapsedMillis: number): string => {
  const percent = RunProgress.percent(progress)
  if (progress.backupId === undefined) return "connecting …"
  if (percent === undefined || progress.step !== "reading") return `${progress.backupId}  ${stepText(progress.step)} …`
  const { bytesPerSecond, leftMillis } = pace(progress, doneBefore, elapsedMillis)
  // The least important facts are last: a narrow terminal cuts them off.
  return [
    // Rounded down: 100 % means that everything is stored.
    `${progress.backupId} ${Math.floor(percent).toString().padStart(3)}%`,
    ...(leftMillis === undefined ? [] : [`${Quantities.duration(leftMillis)} left`]),
    `${Format.count(progress.records)} records`,
    `${Format.bytes(progress.fetchedBytes)} read`,
    ...(elapsedMillis < 1000 ? [] : [`${Format.bytes(bytesPerSecond)}/s`]),
    `${progress.partitionsDone}/${progress.partitions} partitions`,
    `${Format.bytes(progress.storedBytes)} stored`
  ].join("  ")
}

const jsonLine = (progress: RunProgress.RunProgress, doneBefore: number, elapsedMillis: number) => {
  const { bytesPerSecond, leftMillis } = pace(progress, doneBefore, elapsedMillis)
  return JSON.stringify({
    type: "progress",
    ...progress,
    percent: RunProgress.percent(progress) ?? null,
    bytesPerSecond: Math.round(bytesPerSecond),
    secondsLeft: leftMillis === undefined ? null : Math.round(leftMillis / 1000)
  })
}

/**
 * Shows the progress of a run: a progress line on a terminal, and a JSON line every five seconds on standard output for
 * a program. The rate covers this attempt only, so a resumed run does not look faster than it is.
 */
export const during =
  (progress: RunProgress.RunProgress) =>
  <A, E, R>(run: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    let readingSince: number | undefined
    let doneBefore = 0
    let elapsedMillis = 0
    let nowMillis = 0
    const watch = Effect.map(Clock.currentTimeMillis, (now) => {
      nowMillis = now
      if (readingSince === undefined && progress.step === "reading") {
        readingSince = now
        doneBefore = progress.offsetsDone
      }
      elapsedMillis = readingSince === undefined ? 0 : now - readingSince
    })
    const every = (wait: Duration.Input, effect: Effect.Effect<void>) => effect.pipe(Effect.delay(wait), Effect.forever)
    const printLine = Effect.suspend(() => StandardOutput.print(jsonLine(progress, doneBefore, elapsedMillis)))
    return Effect.flatMap(Display.Audience, (reader) =>
      run.pipe(
        Effect.raceFirst(every("250 millis", watch)),
        Effect.raceFirst(
          reader === "program" ? every("5 seconds", Effect.andThen(watch, Effect.ignore(printLine))) : Effect.never
        ),
        // In a log, the JSON lines say the same.
        Display.onTerminal(() =>
          progress.paused === undefined
            ? line(progress, doneBefore, elapsedMillis)
            : `${progress.backupId ?? "connecting"}  ${RunProgress.pausedText(progress.paused, nowMillis)}`
        )
      )
    )
  }

/** Reports that a run was asked to stop, and stores what it has read before it ends. */
export const stopping: Effect.Effect<void> = Effect.suspend(() =>
  Display.isTerminal()
    ? Display.print("stopping: storing what has been read; send the signal again to stop at once")
    : Effect.logWarning("stop requested: storing what has been read")
)

/** Reports why a run, a restore or a drill failed: two lines on a terminal, else a log line. */
export const failed = (
  error: Omit<Explained, "exitCode">,
  exitCode: number,
  what: "run" | "restore" | "drill" | "offsets" = "run"
): Effect.Effect<void> =>
  Effect.suspend(() =>
    Display.isTerminal()
      ? Display.print(FailureText.text({ ...error, exitCode }))
      : Effect.logError(`${what} failed`).pipe(
          Effect.annotateLogs({ reason: error.reason, error: error.message, advice: error.advice, exitCode })
        )
  )

/** What a run read again of all stored backups. */
const readAgain = ({
  bytes,
  isCutShort,
  objects,
  oldestMillis,
  totalBytes
}: NonNullable<RunReport["verification"]>): string =>
  [
    `${Format.bytes(bytes)} of ${Format.bytes(totalBytes)} in ${Format.count(objects)} ${objects === 1 ? "object" : "objects"}`,
    ...(isCutShort === true ? ["less than its share"] : []),
    ...(oldestMillis === undefined ? [] : [`every stored byte was read or written since ${Format.time(oldestMillis)}`])
  ].join("; ")

/** How the run ended, in words. */
const outcomeText = ({ alreadyComplete, outcome, shard }: RunReport): string => {
  if (outcome !== "shardEnded") return alreadyComplete === true ? "success (completed by an earlier run)" : outcome
  return shard === undefined ? "shard ended" : `shard ${shard.index} of ${shard.of} ended`
}

/** The closing table of a run, for people. */
export const closing = (report: RunReport): string => {
  const millis = Date.parse(report.completedAt) - Date.parse(report.startedAt)
  const rate = report.added === undefined || millis <= 0 ? 0 : report.added.fetchedBytes / (millis / 1000)
  const facts: Array<readonly [string, string]> = [
    ["Backup", report.backupId ?? "none"],
    ["Outcome", outcomeText(report)],
    ["Storage", report.location ?? "not opened"]
  ]
  if (report.totals !== undefined) {
    facts.push(
      ["Topics", `${Format.count(report.totals.topics)}, ${Format.count(report.totals.partitions)} partitions`],
      ["Records", Format.count(report.totals.records)],
      [report.format === undefined ? "Keys and values" : "Batches in Kafka", Format.bytes(report.totals.payloadBytes)],
      ["Stored", `${Format.bytes(report.totals.storedBytes)} in ${Format.count(report.totals.segments)} segments`]
    )
    const { newRecords, newStoredBytes, records, storedBytes } = report.totals
    if (report.base !== undefined && newRecords !== undefined && newStoredBytes !== undefined) {
      facts.push(
        ["New", `${Format.bytes(newStoredBytes)} of ${Format.bytes(storedBytes)}`],
        ["New records", `${Format.count(newRecords)} of ${Format.count(records)}`],
        ["Builds on", report.base]
      )
    }
  }
  if (report.outcome === "shardEnded" && report.added !== undefined) {
    facts.push(["Records", `${Format.count(report.added.records)} of this shard`])
  } else if (report.added !== undefined && report.attempt !== undefined && report.attempt > 1) {
    facts.push(["This attempt", `number ${report.attempt}: ${Format.count(report.added.records)} records`])
  }
  facts.push(["Took", `${Quantities.duration(millis)}${rate > 0 ? `, ${Format.bytes(rate)}/s from Kafka` : ""}`])
  if (report.outcome === "success") {
    const proof = "every partition was read to its planned end; every segment was found as stored"
    facts.push(["Verified", report.alreadyComplete ? `by that run: ${proof}` : proof])
  }
  if (report.verification !== undefined) facts.push(["Read again", readAgain(report.verification)])
  if ((report.retention?.removed.length ?? 0) > 0) facts.push(["Removed", report.retention!.removed.join(", ")])
  return [
    Table.facts(facts),
    ...(report.damaged === undefined
      ? []
      : [
          `warning: ${Format.count(report.damaged.sets)} ${report.damaged.sets === 1 ? "backup is" : "backups are"} damaged: ${report.damaged.text}`
        ]),
    ...(report.retention?.afterlife === undefined
      ? []
      : [`note: what is removed still costs space: ${report.retention.afterlife}`]),
    ...report.openTransactions.map(
      (held) =>
        `note: ${held.topic}[${held.partition}]: an open transaction holds back ${Quantities.offsets(held.until, held.highWatermark)}`
    ),
    ...report.gaps.map(
      (gap) =>
        `warning: ${gap.topic}[${gap.partition}]: ${Quantities.offsets(gap.from, gap.until)} had been deleted in Kafka before they were read`
    ),
    ...(report.interruptions ?? []).map(
      ({ cause, openings, target, waitedMillis }) =>
        `note: ${target} did not answer ${openings === 1 ? "once" : `${openings} times`}; the run waited ${Quantities.duration(waitedMillis)} for it (${cause})`
    ),
    ...(report.readInFull ?? []).map(
      ({ partitions, why }) =>
        `note: ${Format.count(partitions)} ${partitions === 1 ? "partition was" : "partitions were"} read in full: ${why}`
    ),
    ...report.notes.map((note) => `note: ${note}`)
  ].join("\n")
}
