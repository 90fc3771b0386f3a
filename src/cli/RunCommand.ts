import { Cause, Clock, Console, Deferred, Effect, FileSystem, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { hostname } from "node:os"
import * as Connections from "../backup/Connections.ts"
import { exitCodes } from "../backup/ExitCode.ts"
import * as Memory from "../backup/Memory.ts"
import * as Run from "../backup/Run.ts"
import * as RunProgress from "../backup/RunProgress.ts"
import { RunReport } from "../backup/RunReport.ts"
import * as SpecRequest from "../backup/SpecRequest.ts"
import { KafkaSource, KafkaSources } from "../kafka/KafkaSource.ts"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import { heldBack } from "../manifest/RunPlan.ts"
import * as KbakFormat from "../segment/KbakFormat.ts"
import { ObjectStore, ObjectStores, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Display from "./Display.ts"
import * as Failure from "./Failure.ts"
import * as Resource from "./Resource.ts"
import * as RunDisplay from "./RunDisplay.ts"
import { shared } from "./SharedFlags.ts"
import * as Shutdown from "./Shutdown.ts"

/** A run that ended badly: it has been reported, only the exit code is left to say. */
export class RunFailed extends Schema.TaggedError<RunFailed>()("RunFailed", { exitCode: Schema.Int }) {}

/** RFC 3339 with a zone, whole seconds; kept as UTC. */
const slotFlag = Flag.String("slot").pipe(
  Flag.withMetavar("RFC3339"),
  Flag.filterMap(
    (text) => {
      const millis = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : NaN
      return Number.isNaN(millis) ? Option.none() : Option.some(Math.floor(millis / 1000) * 1000)
    },
    (text) => `${text} is not an RFC 3339 instant such as 2026-11-23T12:00:00Z`
  ),
  Flag.optional,
  Flag.withDescription(
    "the slot this run is for, which names the backup; the same slot again resumes or finds the same backup (default: now)"
  )
)

const flags = {
  ...shared,
  slot: slotFlag,
  report: Flag.String("report").pipe(
    Flag.withMetavar("FILE"),
    Flag.optional,
    Flag.map(Option.getOrUndefined),
    Flag.withDescription("write the run's report there as JSON, whatever the outcome")
  )
}

const writeReport = Effect.fnUntraced(function* (report: RunReport, file: string | undefined, store?: ObjectStoreShape) {
  const text = `${JSON.stringify(Schema.encodeSync(RunReport)(report), null, 2)}\n`
  if (file !== undefined) {
    const fs = yield* FileSystem.FileSystem
    yield* fs.writeFileString(file, text).pipe(
      Effect.catch((error) => Effect.sync(() => process.stderr.write(`the report could not be written: ${error.message}\n`)))
    )
  }
  if (store !== undefined && report.outcome === "success" && report.backupId !== undefined && !report.alreadyComplete) {
    // Beside the set for whoever looks later; the set itself is complete without it.
    yield* Effect.ignore(store.put(BackupKeys.report(report.backupId), [Buffer.from(text)]))
  }
})

/** Everything between the flags and the report: opens both sides and runs. */
const attempt = Effect.fn("RunCommand.attempt")(function* (
  backup: Parameters<typeof SpecRequest.request>[0],
  slotIso: string,
  places: Resource.Places,
  progress: RunProgress.RunProgress,
  stop: Deferred.Deferred<void>,
  opened: (store: ObjectStoreShape) => void
) {
  const secrets = Resource.secretsLayer(places)
  const storageTarget = yield* Connections.storage(backup.spec.storage, places.volumes).pipe(Effect.provide(secrets))
  const kafkaTarget = yield* Connections.kafka(backup.spec.kafkaCluster).pipe(Effect.provide(secrets))
  const store = yield* (yield* ObjectStores).open(storageTarget)
  opened(store)
  const kafka = yield* (yield* KafkaSources).open(kafkaTarget)
  const request = SpecRequest.request(backup, slotIso, hostname())
  return yield* Run.run(request, {
    ...Memory.bounds(request.settings, Memory.limitBytes()),
    format: (settings) =>
      KbakFormat.make({
        compression: settings.compression,
        level: settings.compressionLevel,
        ...(settings.includeOffsetHeaders
          ? {
              offsetHeaders: settings.sourceClusterId === undefined ? {} : { sourceClusterId: settings.sourceClusterId }
            }
          : {})
      }),
    progress,
    stop
  }).pipe(Effect.provideService(ObjectStore, store), Effect.provideService(KafkaSource, kafka))
})

const iso = (millis: number) => new Date(millis).toISOString().replace(/\.\d{3}Z$/, "Z")

export const run = Command.make(
  "run",
  flags,
  Effect.fnUntraced(function* ({ file, report: reportFile, slot, ...places }) {
    const startedMillis = yield* Clock.currentTimeMillis
    const reader = yield* Display.Audience
    const backup = yield* Resource.read(file)
    const slotIso = iso(Option.getOrElse(slot, () => Math.floor(startedMillis / 1000) * 1000))
    const progress = RunProgress.make()
    let store: ObjectStoreShape | undefined
    const exit = yield* Shutdown.graceful((stop) =>
      attempt(backup, slotIso, places, progress, stop, (opened) => (store = opened)).pipe(
        RunDisplay.during(progress),
        Effect.exit
      )
    )

    const common = {
      version: 1 as const,
      identity: { owner: SpecRequest.owner(backup), slot: slotIso },
      ...(progress.backupId === undefined ? {} : { backupId: progress.backupId }),
      ...(progress.attempt === 0 ? {} : { attempt: progress.attempt }),
      ...(store === undefined ? {} : { location: store.location }),
      startedAt: new Date(startedMillis).toISOString(),
      completedAt: new Date(yield* Clock.currentTimeMillis).toISOString(),
      added: {
        records: progress.records,
        fetchedBytes: progress.fetchedBytes,
        storedBytes: progress.storedBytes,
        segments: progress.segments
      }
    }

    if (exit._tag === "Success") {
      const { alreadyComplete, facts, plan, retention } = exit.value
      const report: RunReport = {
        ...common,
        outcome: "success",
        ...(alreadyComplete ? { alreadyComplete } : {}),
        totals: facts.totals,
        openTransactions: heldBack(plan),
        gaps: facts.gaps.map(({ from, partition, topic, until }) => ({ topic, partition, from, until })),
        retention: { kept: retention.kept, removed: retention.removed },
        exitCode: exitCodes.success,
        notes: [...facts.notes, ...retention.notes]
      }
      yield* writeReport(report, reportFile, store)
      return yield* Console.log(
        reader === "person" ? RunDisplay.closing(report) : JSON.stringify({ type: "report", ...report })
      )
    }

    const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
    const explained = Cause.hasDies(exit.cause) ? undefined : Failure.explain(error)
    const exitCode = yield* Failure.report(exit.cause)
    const report: RunReport = {
      ...common,
      outcome: exitCode === exitCodes.interrupted ? "interrupted" : "failed",
      openTransactions: [],
      gaps: [],
      error: {
        reason: explained?.reason ?? "InternalError",
        message: explained?.message ?? "internal error",
        advice: explained?.advice ?? "please report it",
        isRetryable: explained?.isRetryable ?? false
      },
      exitCode,
      notes: []
    }
    yield* writeReport(report, reportFile)
    if (reader === "program") yield* Console.log(JSON.stringify({ type: "report", ...report }))
    return yield* new RunFailed({ exitCode })
  }, Effect.scoped)
).pipe(
  Command.withDescription("Make one backup, prove it, and apply retention; resumes an interrupted run of the same slot"),
  Command.withExamples([
    { command: "kafka-backup run -f backup.yaml --volumes /mnt", description: "back up into the claim's directory below /mnt" },
    {
      command: "kafka-backup run -f backup.yaml --secrets ./secrets --slot 2026-11-23T12:00:00Z",
      description: "make, resume or find the backup of that slot"
    }
  ])
)
