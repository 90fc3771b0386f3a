import { Clock, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import * as HoldReporting from "../restore/HoldReporting.ts"
import * as RestoreNotes from "../restore/RestoreNotes.ts"
import * as RestoreProgress from "../restore/RestoreProgress.ts"
import type { RestoreReport } from "../restore/RestoreReport.ts"
import * as RestoreReporting from "../restore/RestoreReporting.ts"
import * as RestoreWorker from "../RestoreWorker.ts"
import type { Explained } from "../worker/Explanation.ts"
import * as Memory from "../worker/Memory.ts"
import * as SecretPatience from "../worker/SecretPatience.ts"
import * as WriteBounds from "../worker/WriteBounds.ts"
import * as Display from "./Display.ts"
import * as FailureText from "./FailureText.ts"
import * as OneTimeCommand from "./OneTimeCommand.ts"
import * as Resource from "./Resource.ts"
import * as RestoreHold from "./RestoreHold.ts"
import * as RestoreOutput from "./RestoreOutput.ts"
import * as RestoreSource from "./RestoreSource.ts"
import { listen, output, report, shared, summary } from "./SharedFlags.ts"
import * as Shutdown from "./Shutdown.ts"
import * as StandardOutput from "./StandardOutput.ts"
import * as SummaryFile from "./SummaryFile.ts"
import { UsageError } from "./UsageError.ts"

const flags = {
  ...shared,
  output,
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDefault(false),
    Flag.withDescription("check everything and print what would be done; nothing is written")
  ),
  backup: Flag.String("backup").pipe(
    Flag.withMetavar("FILE"),
    Flag.optional,
    Flag.map(Option.getOrUndefined),
    Flag.withDescription("manifest of the KafkaBackup that spec.backupRef names")
  ),
  endHold: Flag.Boolean("end-hold").pipe(
    Flag.withDefault(false),
    Flag.withDescription(
      "give the topics of a complete restore the retention of the backup now, whatever retentionHold says"
    )
  ),
  listen,
  report,
  summary
}

type Given = Command.Command.Config.Infer<typeof flags>

/** Reads the manifest, opens the listener, and restores until the end or a stop. */
const work = Effect.fnUntraced(function* (given: Given, context: RestoreReporting.RestoreContext) {
  const { progress } = context
  yield* OneTimeCommand.listening(given.listen, progress)
  const resource = yield* Effect.interruptible(RestoreSource.readRestorable(given.file, given.backup))
  context.resource = resource
  context.isDryRun = given.dryRun || resource.spec.dryRun
  yield* Resource.assertDirectories(resource, given)
  Memory.calmCollector({ isCalm: !WriteBounds.isMemorySmall() })
  const isJob = Resource.isRunSpec(given.file)
  const attempt = RestoreWorker.attempt(resource, context, {
    isDryRun: context.isDryRun,
    volumes: given.volumes,
    // Who restores by hand sits before it.
    secretPatienceMillis: isJob ? SecretPatience.oneTimeMillis : 0,
    // A wrong address is told at once, and a question is answered at once.
    failsAtOnce: isJob ? undefined : context.isDryRun ? "always" : "opening"
  }).pipe(
    Effect.provide(Resource.secretsLayer(given)),
    isJob ? RestoreOutput.lines(progress) : Display.during(() => RestoreOutput.line(progress))
  )
  return yield* yield* Shutdown.graceful(() => attempt, {
    // A stop comes between two batches; what is there is found again.
    isWorthWaiting: () => false,
    announce: Effect.void
  })
})

/** What was done, or would be; of a failure only for programs. */
const told = (
  { output: format }: Given,
  { isDryRun, prepared, resource, restored }: RestoreReporting.RestoreContext,
  { backupId, dryRun }: RestoreReport,
  error: Explained | undefined
): Effect.Effect<string | undefined> => {
  if (error !== undefined) {
    return Effect.succeed(format === "json" ? FailureText.json(error, { dryRun, backupId }) : undefined)
  }
  if (restored !== undefined) return Effect.succeed(RestoreOutput.done(restored, format))
  if (!isDryRun || prepared === undefined || resource === undefined) return Effect.undefined
  return Effect.map(Clock.currentTimeMillis, (nowMillis) =>
    RestoreOutput.dryRun(prepared, RestoreNotes.plannedNotes(prepared, resource.spec, nowMillis), format)
  )
}

const stopped = ({ isDryRun, progress }: RestoreReporting.RestoreContext): string =>
  isDryRun || progress.startedWritingMillis === undefined
    ? "stopped: nothing was written. The same command begins again"
    : "stopped: what was written stays, and the same command continues the restore"

/** Gives the topics of a complete restore the retention of the backup. */
const endHold = Effect.fnUntraced(function* (given: Given) {
  if (given.dryRun) {
    return yield* new UsageError({
      detail: "--dry-run cannot be used with --end-hold",
      advice: "leave out one of them"
    })
  }
  const startedMillis = yield* Clock.currentTimeMillis
  const ended = yield* Resource.readRestore(given.file).pipe(
    Effect.flatMap((resource) => RestoreWorker.endHold(resource, !Resource.isRunSpec(given.file))),
    Effect.provide(Resource.secretsLayer(given)),
    Effect.onExit((exit) =>
      Effect.flatMap(Clock.currentTimeMillis, (completedMillis) =>
        SummaryFile.write(given.summary, HoldReporting.summary(startedMillis, completedMillis, exit))
      )
    )
  )
  yield* StandardOutput.print(RestoreHold.ended(ended, given.output))
})

export const restore = Command.make(
  "restore",
  flags,
  Effect.fnUntraced(
    function* (given) {
      if (given.endHold) return yield* Effect.interruptible(endHold(given))
      const context = RestoreReporting.context(yield* Clock.currentTimeMillis, RestoreProgress.make())
      const exit = yield* Effect.exit(work(given, context))
      const concluded = yield* RestoreWorker.conclude(context, exit)
      const { report } = concluded
      const error = OneTimeCommand.explained(report, exit)
      yield* OneTimeCommand.conclude(
        given,
        { ...concluded, what: "restore", exit, exitCode: report.exitCode, error },
        { stopped: stopped(context), result: told(given, context, report, error) }
      )
    },
    Effect.scoped,
    Effect.uninterruptible
  )
).pipe(
  Command.withDescription(
    "Write the topics of a backup into a Kafka cluster: every record at its old offset, read back and compared. The same " +
      "command continues a restore that stopped. -f takes a KafkaRestore manifest. A topic that holds other records is " +
      "never written to"
  ),
  Command.withShortDescription("Write the topics of a backup into a Kafka cluster"),
  Command.withExamples([
    {
      command: "kafka-backup restore -f restore.yaml --secrets secrets --volumes volumes --dry-run",
      description: "what would be done"
    },
    {
      command: "kafka-backup restore -f restore.yaml --secrets secrets --report report.json",
      description: "restore, or continue, and write the report to a file"
    },
    {
      command: "kafka-backup restore -f newest.yaml --backup backup.yaml --secrets secrets",
      description: "restore the newest backup of a KafkaBackup, where the manifest has backupRef"
    },
    {
      command: "kafka-backup restore -f restore.yaml --secrets secrets --end-hold",
      description: "let the brokers remove old records again"
    }
  ])
)
