import { Clock, type Duration, Effect } from "effect"
import type { RunReport } from "../backup/RunReport.ts"
import * as RunProgress from "../worker/RunProgress.ts"
import * as Display from "./Display.ts"
import * as Quantities from "./Quantities.ts"
import * as StandardOutput from "./StandardOutput.ts"
import * as Table from "./Table.ts"

/** Average rate and time left, from when reading began. */
const pace = (progress: RunProgress.RunProgress, doneBefore: number, elapsedMillis: number) => {
  const seconds = Math.max(0.001, elapsedMillis / 1000)
  const done = progress.offsetsDone - doneBefore
  const left = progress.offsets - progress.offsetsDone
  return {
    bytesPerSecond: progress.fetchedBytes / seconds,
    // The first moments say nothing of the rest.
    leftMillis: done > 0 && elapsedMillis >= 1000 ? (left / done) * elapsedMillis : undefined
  }
}

/** What a run does, for people; exported for its tests. */
export const line = (progress: RunProgress.RunProgress, doneBefore: number, elapsedMillis: number): string => {
  const percent = RunProgress.percent(progress)
  if (progress.backupId === undefined) return "connecting …"
  if (percent === undefined || progress.step !== "reading") return `${progress.backupId}  ${progress.step} …`
  const { bytesPerSecond, leftMillis } = pace(progress, doneBefore, elapsedMillis)
  // What a narrow terminal may cut off stands last.
  return [
    // 100 % is said when all of it is durable, not when it rounds up.
    `${progress.backupId} ${Math.floor(percent).toString().padStart(3)}%`,
    ...(leftMillis === undefined ? [] : [`${Quantities.duration(leftMillis)} left`]),
    `${Quantities.count(progress.records)} records`,
    `${Quantities.bytes(progress.fetchedBytes)} read`,
    ...(elapsedMillis < 1000 ? [] : [`${Quantities.bytes(bytesPerSecond)}/s`]),
    `${progress.partitionsDone}/${progress.partitions} partitions`,
    `${Quantities.bytes(progress.storedBytes)} stored`
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
 * Shows a run while it lasts: a progress line on a terminal, and JSON lines every five seconds on standard output where
 * a program reads that. Reading is timed from its first sight, so a resumed run does not look faster than it is.
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
    const tell = Effect.suspend(() => StandardOutput.print(jsonLine(progress, doneBefore, elapsedMillis)))
    return Effect.flatMap(Display.Audience, (reader) =>
      run.pipe(
        Effect.raceFirst(every("250 millis", watch)),
        Effect.raceFirst(
          reader === "program" ? every("5 seconds", Effect.andThen(watch, Effect.ignore(tell))) : Effect.never
        ),
        Display.during(() =>
          progress.paused === undefined
            ? line(progress, doneBefore, elapsedMillis)
            : `${progress.backupId ?? "connecting"}  ${RunProgress.pausedText(progress.paused, nowMillis)}`
        )
      )
    )
  }

/** Says that a run was asked to stop and takes its time to do so in order. */
export const stopping: Effect.Effect<void> = Effect.suspend(() =>
  Display.isTerminal()
    ? Display.say("stopping: what has been read is sealed and stored; the same signal again ends at once")
    : Effect.logWarning("asked to stop: what has been read is sealed and stored")
)

/** Says why a run made no set: two lines on a terminal, else a line of the log. */
export const failed = (
  { advice, message, reason }: NonNullable<RunReport["error"]>,
  exitCode: number
): Effect.Effect<void> =>
  Effect.suspend(() =>
    Display.isTerminal()
      ? Display.say(`error: ${message}\nwhat to do: ${advice}`)
      : Effect.logError("run failed").pipe(Effect.annotateLogs({ reason, error: message, advice, exitCode }))
  )

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
      [
        "Stored",
        `${Quantities.bytes(report.totals.storedBytes)} in ${Quantities.count(report.totals.segments)} segments`
      ]
    )
  }
  if (report.added !== undefined && report.attempt !== undefined && report.attempt > 1) {
    facts.push(["This attempt", `number ${report.attempt}: ${Quantities.count(report.added.records)} records`])
  }
  facts.push(["Took", `${Quantities.duration(millis)}${rate > 0 ? `, ${Quantities.bytes(rate)}/s from Kafka` : ""}`])
  if (report.outcome === "success") {
    const proof = "every partition reached its planned end; every segment was found as it was stored"
    facts.push(["Proven", report.alreadyComplete ? `when it was made: ${proof}` : proof])
  }
  if ((report.retention?.removed.length ?? 0) > 0) facts.push(["Removed", report.retention!.removed.join(", ")])
  return [
    Table.facts(facts),
    ...report.openTransactions.map(
      (held) =>
        `note: ${held.topic}[${held.partition}]: an open transaction holds back ${Quantities.offsets(held.until, held.highWatermark)}`
    ),
    ...report.gaps.map(
      (gap) =>
        `warning: ${gap.topic}[${gap.partition}]: ${Quantities.offsets(gap.from, gap.until)} were gone before they could be read`
    ),
    ...(report.interruptions ?? []).map(
      ({ cause, openings, target, waitedMillis }) =>
        `note: ${target} did not answer ${openings === 1 ? "once" : `${openings} times`}; the run waited ${Quantities.duration(waitedMillis)} for it (${cause})`
    ),
    ...report.notes.map((note) => `note: ${note}`)
  ].join("\n")
}
