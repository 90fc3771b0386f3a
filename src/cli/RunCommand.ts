import { Clock, Effect, Exit, FileSystem, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { hostname } from "node:os"
import { exitCodes } from "../outcome/ExitCodes.ts"
import * as Memory from "../worker/Memory.ts"
import * as RunMetrics from "../worker/RunMetrics.ts"
import * as RunProgress from "../worker/RunProgress.ts"
import * as SecretPatience from "../worker/SecretPatience.ts"
import type { RunReport } from "../backup/RunReport.ts"
import * as RunReporting from "../backup/RunReporting.ts"
import * as SpecRequest from "../backup/SpecRequest.ts"
import * as Worker from "../Worker.ts"
import * as ShardDeal from "../manifest/ShardDeal.ts"
import { slotText } from "../identity/RunIdentity.ts"
import * as RunSpec from "../identity/RunSpec.ts"
import { maxTriggerLength, triggerAnnotation } from "../resource/KafkaBackup.ts"
import * as Trigger from "../resource/Trigger.ts"
import * as Display from "./Display.ts"
import * as Resource from "./Resource.ts"
import * as RunDisplay from "./RunDisplay.ts"
import { RunFailed } from "./RunFailed.ts"
import { listen, report, shared, summary } from "./SharedFlags.ts"
import * as Shutdown from "./Shutdown.ts"
import * as StandardOutput from "./StandardOutput.ts"
import * as SummaryFile from "./SummaryFile.ts"
import { UsageError } from "./UsageError.ts"

/** RFC 3339 with a zone, whole seconds; kept as UTC. */
const slotFlag = Flag.String("slot").pipe(
  Flag.withMetavar("INSTANT"),
  Flag.filterMap(
    (text) => {
      const millis = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : NaN
      return Number.isNaN(millis) ? Option.none() : Option.some(Math.floor(millis / 1000) * 1000)
    },
    () => "a time with its zone, such as 2026-11-23T12:00:00Z"
  ),
  Flag.optional,
  Flag.withDescription(
    "slot of this run, such as 2026-11-23T12:00:00Z (default: now). It names the backup: the same slot again resumes or " +
      "finds it"
  )
)

const triggerFlag = Flag.String("trigger").pipe(
  Flag.withMetavar("TOKEN"),
  Flag.filter(
    (token) => Trigger.requested({ [triggerAnnotation]: token })._tag === "Token",
    () => `1 to ${maxTriggerLength} characters, as in the trigger annotation`
  ),
  Flag.optional,
  Flag.map(Option.getOrUndefined),
  Flag.withDescription(
    "value of the trigger annotation for this run: the same value again resumes or finds its backup, whatever the slot"
  )
)

const shardFlag = Flag.String("shard").pipe(
  Flag.withMetavar("I/N"),
  Flag.filterMap(
    (text) => Option.fromUndefinedOr(ShardDeal.parseSeat(text)),
    () =>
      `I/N, with N processes, up to ${ShardDeal.mostSeats}, and I from 0 to below N, such as 0/4 for the first of four`
  ),
  Flag.optional,
  Flag.map(Option.getOrUndefined),
  Flag.withDescription(
    "this is process I of N at the same run, counting from 0: it reads its share of the partitions, and the last one to " +
      "end commits the backup. Start all N with the same slot (default: the only process)"
  )
)

const flags = {
  ...shared,
  slot: slotFlag,
  trigger: triggerFlag,
  shard: shardFlag,
  listen,
  report,
  summary
}

type Given = Command.Command.Config.Infer<typeof flags>

/** Fails for options that contradict each other, or need others. */
const assertUsable = Effect.fnUntraced(function* (given: Given) {
  if (!Resource.isRunSpec(given.file)) {
    if (given.shard === undefined || given.shard.of === 1) return
    if (Option.isSome(given.slot) || given.trigger !== undefined) return
    return yield* new UsageError({
      detail: "--shard needs --slot or --trigger: without them each process would make a backup of its own",
      advice: `give all ${given.shard.of} processes the same --slot, such as ${slotText(yield* Clock.currentTimeMillis)}`
    })
  }
  const extra = Option.isSome(given.slot) ? "--slot" : given.trigger === undefined ? undefined : "--trigger"
  if (extra === undefined) return
  return yield* new UsageError({
    detail: `${extra} cannot be used with -f ${given.file}: the run spec has its own slot and trigger`,
    advice: `leave out ${extra}`
  })
})

/** Reads the manifest and runs until the end or a stop. */
const work = Effect.fnUntraced(function* (given: Given, known: RunReporting.RunContext) {
  const { backup, run } = yield* Effect.interruptible(Resource.readGiven(given.file))
  const { slot, trigger } = run ?? {
    slot: slotText(Option.getOrElse(given.slot, () => known.startedMillis)),
    trigger: given.trigger
  }
  const identity = SpecRequest.identity(backup, slot, trigger)
  known.identity = identity
  known.backup = backup
  yield* Resource.assertDirectories(backup, given)
  const { settings } = SpecRequest.request(backup, identity, hostname())
  Memory.calmCollector(Memory.bounds(settings, Memory.limitBytes()))
  return yield* yield* Shutdown.graceful(
    (stop) =>
      Worker.attempt(backup, identity, known, {
        host: hostname(),
        isScheduled: run !== undefined && RunSpec.isScheduled({ backup, ...run }),
        // Who runs it by hand sits before it, and a scheduled Job has a next slot.
        seat: given.shard,
        secretPatienceMillis: run === undefined ? 0 : SecretPatience.ofJob(backup),
        stop,
        volumes: given.volumes
      }).pipe(Effect.provide(Resource.secretsLayer(given)), RunDisplay.during(known.progress)),
    {
      // Before the plan nothing has been read, and the next attempt finds the claim again.
      isWorthWaiting: () => known.progress.step !== "claiming" && known.progress.step !== "planning",
      announce: RunDisplay.stopping
    }
  )
})

/** Writes the report to `file`, if given. A failure is logged and does not change the run's outcome. */
const writeReport = Effect.fnUntraced(function* (report: RunReport, file: string | undefined) {
  if (file === undefined) return
  const fs = yield* FileSystem.FileSystem
  yield* fs
    .writeFileString(file, RunReporting.text(report))
    .pipe(
      Effect.catch((error) =>
        Effect.logError("the report could not be written").pipe(Effect.annotateLogs({ file, error: error.message }))
      )
    )
})

/** Prints how the run ended: a table or the error with its advice for a person, else the last JSON line. */
const show = Effect.fnUntraced(function* (report: RunReport) {
  if (report.error !== undefined) yield* RunDisplay.failed(report.error, report.exitCode)
  const reader = yield* Display.Audience
  if (reader === "person" && report.error !== undefined) return
  // A run does not fail because its output has no reader.
  yield* Effect.ignore(
    StandardOutput.print(
      reader === "person" ? RunDisplay.closing(report) : JSON.stringify({ type: "report", ...report })
    )
  )
})

/** Checks the options and opens the listener before the run starts. */
const prepare = Effect.fnUntraced(function* (given: Given, { progress }: RunReporting.RunContext) {
  yield* assertUsable(given)
  if (given.listen === undefined) return
  // Loaded only if needed: the HTTP server is a third of the code that a run loads at its start.
  const { open } = yield* Effect.promise(() => import("./RunListener.ts"))
  yield* open(given.listen, {
    progress: (nowMillis) => RunProgress.report(progress, nowMillis),
    metrics: (nowMillis) => RunMetrics.text(progress, nowMillis)
  })
})

export const run = Command.make(
  "run",
  flags,
  Effect.fnUntraced(
    function* (given) {
      const known = RunReporting.begin(yield* Clock.currentTimeMillis, RunProgress.make())
      yield* prepare(given, known).pipe(
        Effect.onError((cause) =>
          Effect.flatMap(Worker.conclude(known, Exit.failCause(cause)), ({ summary }) =>
            SummaryFile.write(given.summary, summary)
          )
        )
      )
      const exit = yield* Effect.exit(work(given, known))
      const { report, summary } = yield* Worker.conclude(known, exit)
      // The summary comes first: writing the report to storage may take longer than the pod has left.
      yield* SummaryFile.write(given.summary, summary)
      yield* writeReport(report, given.report)
      const kept = yield* Worker.keep(report, known, given.volumes).pipe(Effect.provide(Resource.secretsLayer(given)))
      if (kept !== report) yield* writeReport(kept, given.report)
      yield* show(kept)
      const outcome = yield* Shutdown.Outcome
      outcome.exitCode = report.exitCode
      if (report.exitCode !== exitCodes.success) return yield* new RunFailed({ exitCode: report.exitCode })
    },
    Effect.scoped,
    Effect.uninterruptible
  )
).pipe(
  Command.withDescription(
    "Make one backup, verify it, and apply retention. Prints a table on a terminal, otherwise JSON lines; the last line is " +
      "the report"
  ),
  Command.withShortDescription("Make one backup, verify it, and apply retention"),
  Command.withExamples([
    {
      command: "kafka-backup run -f backup.yaml --volumes /mnt --secrets ./secrets",
      description: "back up into the claim's directory in /mnt, with credentials from files"
    },
    {
      command: "kafka-backup run -f backup.yaml --slot 2026-11-23T12:00:00Z --report report.json",
      description: "make, resume or find the backup of a slot, and write the report to a file"
    }
  ])
)
