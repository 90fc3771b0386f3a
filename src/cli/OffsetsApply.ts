import { Clock, Effect, Exit } from "effect"
import { Command } from "effect/cli"
import { exitCodes } from "../outcome/ExitCodes.ts"
import type * as OffsetSpec from "../identity/OffsetSpec.ts"
import type { RunSummary } from "../outcome/RunSummary.ts"
import * as OffsetsWorker from "../OffsetsWorker.ts"
import * as OffsetReporting from "../restore/groups/OffsetReporting.ts"
import * as RestoreMetrics from "../restore/RestoreMetrics.ts"
import * as RestoreProgress from "../restore/RestoreProgress.ts"
import * as SecretPatience from "../worker/SecretPatience.ts"
import * as OffsetsOutput from "./OffsetsOutput.ts"
import * as OffsetsWork from "./OffsetsWork.ts"
import * as Resource from "./Resource.ts"
import * as RunDisplay from "./RunDisplay.ts"
import { RunFailed } from "./RunCommand.ts"
import { listen, output, shared, summary } from "./SharedFlags.ts"
import * as Shutdown from "./Shutdown.ts"
import * as StandardOutput from "./StandardOutput.ts"
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
  if (given.listen !== undefined) {
    // Loaded only if needed, as for a restore.
    const { open } = yield* Effect.promise(() => import("./RunListener.ts"))
    yield* open(given.listen, {
      progress: () => RestoreProgress.report(progress),
      metrics: () => RestoreMetrics.text(progress)
    })
  }
  const spec = yield* Effect.interruptible(readSpec(given))
  const attempt = OffsetsWorker.attempt(spec, context, {
    volumes: given.volumes,
    secretPatienceMillis: Resource.isRunSpec(given.file) ? SecretPatience.oneTimeMillis : 0
  }).pipe(Effect.provide(Resource.secretsLayer(given)))
  return yield* yield* Shutdown.graceful(() => attempt, {
    // A pod that came after this one would set groups again that have read on.
    isWorthWaiting: () => progress.step === "writing",
    announce: Effect.logInfo("asked to stop: ending what has begun")
  })
})

/** In a Job: how it ended, as the last JSON line and, where it failed, in the log. */
const showJob = Effect.fnUntraced(function* (written: RunSummary, outcome: object | undefined) {
  const { advice = "", exitCode, message = "", reason } = written
  if (reason !== undefined) {
    yield* RunDisplay.failed(
      { reason, message, advice, isRetryable: exitCode >= exitCodes.temporary },
      exitCode,
      "offsets"
    )
  }
  // The work does not fail because its output has no reader.
  yield* Effect.ignore(StandardOutput.print(JSON.stringify({ type: "report", ...written, ...outcome })))
  if (exitCode !== exitCodes.success) return yield* new RunFailed({ exitCode })
})

export const apply = Command.make(
  "apply",
  flags,
  Effect.fnUntraced(
    function* (given) {
      const context = OffsetReporting.context(yield* Clock.currentTimeMillis, RestoreProgress.make())
      const exit = OffsetReporting.settled(context, yield* Effect.exit(work(given, context)))
      const written = OffsetReporting.summary(context, yield* Clock.currentTimeMillis, exit)
      yield* SummaryFile.write(given.summary, written)
      const outcome = yield* Shutdown.Outcome
      outcome.exitCode = written.exitCode
      if (Resource.isRunSpec(given.file)) return yield* showJob(written, context.outcome)
      yield* StandardOutput.print(OffsetsOutput.applied(context, given.output))
      if (Exit.isFailure(exit)) return yield* exit
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
