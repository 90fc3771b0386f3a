import { Clock, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import type { DrillReport } from "../drill/DrillReport.ts"
import * as DrillReporting from "../drill/DrillReporting.ts"
import * as DrillWorker from "../DrillWorker.ts"
import * as RestoreProgress from "../restore/RestoreProgress.ts"
import * as Memory from "../worker/Memory.ts"
import * as SecretPatience from "../worker/SecretPatience.ts"
import * as WriteBounds from "../worker/WriteBounds.ts"
import * as Display from "./Display.ts"
import * as DrillOutput from "./DrillOutput.ts"
import * as OneTimeCommand from "./OneTimeCommand.ts"
import * as Resource from "./Resource.ts"
import * as RestoreOutput from "./RestoreOutput.ts"
import { listen, output, report, shared, summary } from "./SharedFlags.ts"
import * as Shutdown from "./Shutdown.ts"

const flags = {
  ...shared,
  output,
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDefault(false),
    Flag.withDescription("choose, check everything and print what would be restored; nothing is written")
  ),
  listen,
  report,
  summary
}

type Given = Command.Command.Config.Infer<typeof flags>

/** Reads the manifest, opens the listener, and drills until the end or a stop. */
const work = Effect.fnUntraced(function* (given: Given, context: DrillReporting.DrillContext) {
  const { progress } = context
  yield* OneTimeCommand.listening(given.listen, progress)
  const { backup, run } = yield* Effect.interruptible(Resource.readGiven(given.file))
  context.backup = backup
  context.isDryRun = given.dryRun
  yield* Resource.assertDirectories(backup, given)
  Memory.calmCollector({ isCalm: !WriteBounds.isMemorySmall() })
  const attempt = DrillWorker.attempt(backup, context, {
    isDryRun: given.dryRun,
    slotMillis: run === undefined ? undefined : Date.parse(run.slot),
    volumes: given.volumes,
    // Who drills by hand sits before it.
    secretPatienceMillis: run === undefined ? 0 : SecretPatience.ofJob(backup),
    // A wrong address is told at once, and a question is answered at once.
    failsAtOnce: run !== undefined ? undefined : given.dryRun ? "always" : "opening"
  }).pipe(
    Effect.provide(Resource.secretsLayer(given)),
    run === undefined ? Display.during(() => DrillOutput.line(progress)) : RestoreOutput.lines(progress)
  )
  return yield* yield* Shutdown.graceful(() => attempt, {
    // A stop deletes the scratch topics; there is nothing else to keep.
    isWorthWaiting: () => false,
    announce: Effect.void
  })
})

const stopped = ({ leftTopics }: DrillReport): string =>
  leftTopics.length === 0
    ? "stopped: no scratch topic is left. The same command drills again"
    : `stopped: the next drill deletes these scratch topics: ${leftTopics.join(", ")}`

export const drill = Command.make(
  "drill",
  flags,
  Effect.fnUntraced(
    function* (given) {
      const context = DrillReporting.context(yield* Clock.currentTimeMillis, RestoreProgress.make())
      const exit = yield* Effect.exit(work(given, context))
      const concluded = yield* DrillWorker.conclude(context, exit)
      const { report } = concluded
      const error = OneTimeCommand.explained(report, exit)
      yield* OneTimeCommand.conclude(
        given,
        { ...concluded, what: "drill", exit, exitCode: report.exitCode, error },
        { stopped: stopped(report), result: Effect.succeed(DrillOutput.result(report, error, given.output)) }
      )
    },
    Effect.scoped,
    Effect.uninterruptible
  )
).pipe(
  Command.withDescription(
    "Find out whether the newest backup can be restored: a part of it is restored into scratch topics at its old offsets, " +
      "read back, compared with the backup and with the live topics, and deleted again. Says how long a whole restore " +
      "would take. Only topics that a drill made itself are ever deleted"
  ),
  Command.withShortDescription("Find out whether the newest backup can be restored"),
  Command.withExamples([
    {
      command: "kafka-backup drill -f backup.yaml --secrets secrets --volumes volumes",
      description: "drill now; what spec.drill leaves out has its default"
    },
    {
      command: "kafka-backup drill -f backup.yaml --dry-run",
      description: "what would be restored, and from which backup"
    }
  ])
)
