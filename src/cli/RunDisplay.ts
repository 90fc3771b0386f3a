import { Clock, Console, Effect, Schedule } from "effect"
import type { RunReport } from "../backup/RunReport.ts"
import * as RunProgress from "../backup/RunProgress.ts"
import * as Display from "./Display.ts"
import * as Quantities from "./Quantities.ts"
import * as Table from "./Table.ts"

/** Average rate and time left, from when reading began. */
const pace = (progress: RunProgress.RunProgress, doneBefore: number, elapsedMillis: number) => {
  const seconds = Math.max(0.001, elapsedMillis / 1000)
  const done = progress.offsetsDone - doneBefore
  const left = progress.offsets - progress.offsetsDone
  return {
    bytesPerSecond: progress.fetchedBytes / seconds,
    leftMillis: done > 0 ? (left / done) * elapsedMillis : undefined
  }
}

const line = (progress: RunProgress.RunProgress, doneBefore: number, elapsedMillis: number): string => {
  const percent = RunProgress.percent(progress)
  if (percent === undefined || progress.step !== "reading") return `${progress.backupId ?? ""} ${progress.step} …`
  const { bytesPerSecond, leftMillis } = pace(progress, doneBefore, elapsedMillis)
  return [
    `${progress.backupId} ${percent.toFixed(0).padStart(3)}%`,
    `${Quantities.count(progress.records)} records`,
    `${Quantities.bytes(progress.fetchedBytes)} read`,
    `${Quantities.bytes(bytesPerSecond)}/s`,
    `${Quantities.bytes(progress.storedBytes)} stored`,
    `${progress.partitionsDone}/${progress.partitions} partitions`,
    ...(leftMillis === undefined ? [] : [`${Quantities.duration(leftMillis)} left`])
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
 * Shows a run while it lasts: one line a second on a terminal, else one JSON line every five seconds on standard
 * output. Reading is timed from its first sight, so a resumed run does not look faster than it is.
 */
export const during =
  (progress: RunProgress.RunProgress) =>
  <A, E, R>(run: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    let readingSince: number | undefined
    let doneBefore = 0
    const elapsed = Effect.map(Clock.currentTimeMillis, (now) => {
      if (readingSince === undefined && progress.step === "reading") {
        readingSince = now
        doneBefore = progress.offsetsDone
      }
      return readingSince === undefined ? 0 : now - readingSince
    })
    let elapsedMillis = 0
    const watch = Effect.map(elapsed, (millis) => {
      elapsedMillis = millis
    })
    const watching = watch.pipe(Effect.repeat(Schedule.spaced("250 millis")), Effect.andThen(Effect.never))
    const shown = Effect.raceFirst(run, watching).pipe(Display.during(() => line(progress, doneBefore, elapsedMillis)))
    const telling = watch.pipe(
      Effect.andThen(Effect.suspend(() => Console.log(jsonLine(progress, doneBefore, elapsedMillis)))),
      Effect.schedule(Schedule.spaced("5 seconds")),
      Effect.andThen(Effect.never)
    )
    const told = Effect.raceFirst(run, telling)
    return Effect.flatMap(Display.Audience, (reader) => (reader === "person" ? shown : told))
  }

/** The closing table of a run, for people. */
export const closing = (report: RunReport): string => {
  const millis = Date.parse(report.completedAt) - Date.parse(report.startedAt)
  const rate = report.added === undefined || millis <= 0 ? 0 : report.added.fetchedBytes / (millis / 1000)
  const facts: Array<readonly [string, string]> = [
    ["Backup", report.backupId ?? "none"],
    ["Outcome", report.alreadyComplete ? "success (had been completed before)" : report.outcome],
    ["Storage", report.location ?? "not opened"]
  ]
  if (report.totals !== undefined) {
    facts.push(
      ["Topics", `${Quantities.count(report.totals.topics)}, ${Quantities.count(report.totals.partitions)} partitions`],
      ["Records", Quantities.count(report.totals.records)],
      ["Keys and values", Quantities.bytes(report.totals.payloadBytes)],
      ["Stored", `${Quantities.bytes(report.totals.storedBytes)} in ${Quantities.count(report.totals.segments)} segments`]
    )
  }
  if (report.added !== undefined && report.attempt !== undefined && report.attempt > 1) {
    facts.push(["This attempt", `number ${report.attempt}: ${Quantities.count(report.added.records)} records`])
  }
  facts.push(["Took", `${Quantities.duration(millis)}${rate > 0 ? `, ${Quantities.bytes(rate)}/s from Kafka` : ""}`])
  if (report.outcome === "success") {
    facts.push(["Proven", "every partition reached its planned end; every segment was found as it was stored"])
  }
  if ((report.retention?.removed.length ?? 0) > 0) facts.push(["Removed", report.retention!.removed.join(", ")])
  return [
    Table.facts(facts),
    ...report.openTransactions.map(
      (held) =>
        `note: ${held.topic}[${held.partition}]: an open transaction holds back offsets ${held.until}-${held.highWatermark - 1}`
    ),
    ...report.gaps.map(
      (gap) => `warning: ${gap.topic}[${gap.partition}]: offsets ${gap.from}-${gap.until - 1} were gone before they could be read`
    ),
    ...report.notes.map((note) => `note: ${note}`)
  ].join("\n")
}
