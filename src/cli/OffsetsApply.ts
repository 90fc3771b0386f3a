import { Clock, Console, Effect, Exit } from "effect"
import { Command } from "effect/cli"
import { exitCodes } from "../outcome/ExitCodes.ts"
import type * as OffsetSpec from "../identity/OffsetSpec.ts"
import type { RunSummary } from "../outcome/RunSummary.ts"
import * as OffsetsWorker from "../OffsetsWorker.ts"
import * as OffsetReporting from "../restore/groups/OffsetReporting.ts"
import * as RestoreProgress from "../restore/RestoreProgress.ts"
import * as SecretPatience from "../worker/SecretPatience.ts"
import * as OneTimeCommand from "./OneTimeCommand.ts"
import * as Display from "./Display.ts"
import * as OffsetsStop from "./OffsetsStop.ts"
import * as OffsetsOutput from "./OffsetsOutput.ts"
import * as OffsetsWork from "./OffsetsWork.ts"
import * as Resource from "./Resource.ts"
import { listen, output, shared, summary } from "./SharedFlags.ts"
import * as Shutdown from "./Shutdown.ts"
import * as SummaryFile from "./SummaryFile.ts"

const flags = { ...shared, output, listen, summary }

type Given = Command.Command.Config.Infer<typeof flags>

/** A manifest by hand is checked for what the operator would have added. */
const readSpec = Effect.fnUntraced(function* (given: Given) {
  if (Resource.isRunSpec(given.file)) return yield* Resource.readOffsetSpec(given.file)
  const resource = yield* Resource.readOffsets(given.file, ["KafkaOffsetReset", "KafkaOffsetRollback"])
  yield* OffsetsWork.assertWhole(resource, given)
  return { resource, choice: {} } satisfies OffsetSpec.OffsetSpec
})

/** Reads the manifest, opens the listener, and works until the end or a stop. */
const work = Effect.fnUntraced(function* (given: Given, context: OffsetReporting.OffsetContext) {
  const { progress } = context
  yield* OneTimeCommand.listening(given.listen, progress)
  const spec = yield* Effect.interruptible(readSpec(given))
  const isJob = Resource.isRunSpec(given.file)
  const attempt = OffsetsWorker.attempt(spec, context, {
    volumes: given.volumes,
    secretPatienceMillis: isJob ? SecretPatience.oneTimeMillis : 0
  }).pipe(
    Effect.provide(Resource.secretsLayer(given)),
    isJob ? (attempt) => attempt : Display.during(() => OffsetsStop.line(context))
  )
  return yield* yield* Shutdown.graceful(() => attempt, {
    // A pod that came after this one would set groups again that have read on.
    isWorthWaiting: () => progress.step === "writing",
    announce: isJob
      ? Effect.logInfo("asked to stop: ending what has begun")
      : Console.error("stopping: the groups that are being set are ended first; send the signal again to stop at once")
  })
})

/** The failure that a summary tells of. */
const errorOf = ({ advice = "", exitCode, message = "", reason }: RunSummary) =>
  reason === undefined ? {} : { error: { reason, message, advice, isRetryable: exitCode >= exitCodes.temporary } }

/** At the second signal: groups that were begun must not be set again, so it ends as what it is, with their names. */
const endAtOnce = (given: Given, context: OffsetReporting.OffsetContext) => (): Shutdown.EndedAtOnce => {
  const exit = OffsetReporting.settled(context, Exit.interrupt())
  const written = OffsetReporting.summary(context, Date.now(), exit)
  SummaryFile.writeNow(given.summary, written)
  const { exitCode, message = "" } = written
  const what = exitCode === exitCodes.interrupted ? "no offset was set" : message
  const error = OneTimeCommand.explained({ exitCode, ...errorOf(written) }, exit)
  return { exitCode, message: `stopped at once: ${what}`, document: OffsetsOutput.applied(context, error, "json") }
}

export const apply = Command.make(
  "apply",
  flags,
  Effect.fnUntraced(
    function* (given) {
      const context = OffsetReporting.context(yield* Clock.currentTimeMillis, RestoreProgress.make())
      const outcome = yield* Shutdown.Outcome
      outcome.endAtOnce = endAtOnce(given, context)
      const exit = OffsetReporting.settled(context, yield* Effect.exit(work(given, context)))
      const written = OffsetReporting.summary(context, yield* Clock.currentTimeMillis, exit)
      const error = OneTimeCommand.explained({ exitCode: written.exitCode, ...errorOf(written) }, exit)
      yield* OneTimeCommand.conclude(
        given,
        {
          what: "offsets",
          exit,
          exitCode: written.exitCode,
          error,
          summary: written,
          report: { ...written, ...context.outcome }
        },
        {
          stopped: OffsetsOutput.stopped(context),
          result: Effect.succeed(OffsetsOutput.applied(context, error, given.output))
        }
      )
    },
    Effect.scoped,
    Effect.uninterruptible
  )
).pipe(
  Command.withDescription(
    "Do what a KafkaOffsetReset or KafkaOffsetRollback says, as its Job in a cluster does: reset, snapshot, rollback, verify " +
      "or delete"
  ),
  Command.withShortDescription("Do what a manifest about offsets says"),
  Command.withExamples([
    {
      command: "kafka-backup offsets apply -f rollback.yaml --secrets secrets",
      description: "what spec.operation says"
    }
  ])
)
