import { Clock, type Deferred, Effect, Exit, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { hostname } from "node:os"
import * as BreakerGuards from "../backup/BreakerGuards.ts"
import * as Connections from "../backup/Connections.ts"
import { exitCodes } from "../backup/ExitCode.ts"
import * as Memory from "../backup/Memory.ts"
import * as Opening from "../backup/Opening.ts"
import * as Rotation from "../backup/Rotation.ts"
import * as Run from "../backup/Run.ts"
import * as RunProgress from "../backup/RunProgress.ts"
import type { RunReport } from "../backup/RunReport.ts"
import * as SpecRequest from "../backup/SpecRequest.ts"
import { KafkaSource, KafkaSources } from "../kafka/KafkaSource.ts"
import type { KafkaBackup } from "../resource/KafkaBackup.ts"
import * as KbakFormat from "../segment/KbakFormat.ts"
import { ObjectStore } from "../storage/ObjectStore.ts"
import * as Display from "./Display.ts"
import * as ListenAddress from "./ListenAddress.ts"
import * as Resource from "./Resource.ts"
import * as RunDisplay from "./RunDisplay.ts"
import * as RunReporting from "./RunReporting.ts"
import { shared } from "./SharedFlags.ts"
import * as Shutdown from "./Shutdown.ts"
import * as StandardOutput from "./StandardOutput.ts"

/** A run that ended badly: it has been reported, only the exit code is left to say. */
export class RunFailed extends Schema.TaggedError<RunFailed>()("RunFailed", { exitCode: Schema.Int }) {
  override get message() {
    return `the run failed with exit code ${this.exitCode}`
  }
}

/** RFC 3339 with a zone, whole seconds; kept as UTC. */
const slotFlag = Flag.String("slot").pipe(
  Flag.withMetavar("INSTANT"),
  Flag.filterMap(
    (text) => {
      const millis = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : NaN
      return Number.isNaN(millis) ? Option.none() : Option.some(Math.floor(millis / 1000) * 1000)
    },
    () => "an instant with its zone, such as 2026-11-23T12:00:00Z"
  ),
  Flag.optional,
  Flag.withDescription(
    "slot this run is for, such as 2026-11-23T12:00:00Z; it names the backup, and the same slot again resumes it or finds it (default: now)"
  )
)

const listenFlag = Flag.String("listen").pipe(
  Flag.withMetavar("ADDRESS"),
  Flag.filterMap(
    (text) => Option.fromUndefinedOr(ListenAddress.parse(text)),
    () => "an address and port, such as 127.0.0.1:9090, or :9090 for every interface"
  ),
  Flag.optional,
  Flag.map(Option.getOrUndefined),
  Flag.withDescription(
    "serve /metrics (Prometheus), /progress (JSON) and /healthz there while the run lasts, such as 127.0.0.1:9090, or :9090 for every interface"
  )
)

const flags = {
  ...shared,
  slot: slotFlag,
  listen: listenFlag,
  report: Flag.String("report").pipe(
    Flag.withMetavar("FILE"),
    Flag.optional,
    Flag.map(Option.getOrUndefined),
    Flag.withDescription("write the run's report there as JSON, whatever the outcome")
  )
}

/** Everything between the manifest and the report: opens both sides and runs. */
const attempt = Effect.fn("RunCommand.attempt")(function* (
  backup: KafkaBackup,
  slot: string,
  places: Resource.Places,
  known: RunReporting.Known,
  stop: Deferred.Deferred<void>
) {
  const { progress } = known
  const storageTarget = Resource.storageTarget(backup, places)
  const kafkaTarget = yield* Connections.kafka(backup.spec.kafkaCluster).pipe(
    Effect.provide(Resource.secretsLayer(places))
  )
  const request = SpecRequest.request(backup, slot, hostname())
  const guards = yield* BreakerGuards.make(request.circuitBreaker, progress)
  const store = guards.store(yield* Rotation.openStore(storageTarget, guards.opening))
  known.store = store
  const sources = yield* KafkaSources
  const kafka = yield* Opening.patient(sources.open(kafkaTarget, guards.brokers), guards.connecting)
  const limitBytes = Memory.limitBytes()
  Memory.calmCollector(limitBytes)
  return yield* Run.run(request, {
    ...Memory.bounds(request.settings, limitBytes),
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

/** Reads the manifest and runs, until the end or until it is stopped. */
const work = Effect.fnUntraced(function* (
  file: string,
  slotMillis: number,
  places: Resource.Places,
  known: RunReporting.Known
) {
  const backup = yield* Effect.interruptible(Resource.read(file))
  const slot = iso(slotMillis)
  known.identity = { owner: SpecRequest.owner(backup), slot }
  return yield* yield* Shutdown.graceful(
    (stop) => attempt(backup, slot, places, known, stop).pipe(RunDisplay.during(known.progress)),
    {
      // Before there is a plan nothing has been read, and what has been claimed is found again.
      isWorthWaiting: () => known.progress.step !== "claiming" && known.progress.step !== "planning",
      announce: RunDisplay.stopping
    }
  )
})

/** Says how the run ended: on a terminal a table or what to do, else the last JSON line. */
const tell = Effect.fnUntraced(function* (report: RunReport) {
  if (report.error !== undefined) yield* RunDisplay.failed(report.error, report.exitCode)
  const reader = yield* Display.Audience
  if (reader === "person" && report.error !== undefined) return
  // A backup does not fail because nobody listens.
  yield* Effect.ignore(
    StandardOutput.print(
      reader === "person" ? RunDisplay.closing(report) : JSON.stringify({ type: "report", ...report })
    )
  )
})

export const run = Command.make(
  "run",
  flags,
  Effect.fnUntraced(
    function* ({ file, listen, report: reportFile, slot, ...places }) {
      const startedMillis = yield* Clock.currentTimeMillis
      const known: RunReporting.Known = {
        startedMillis,
        progress: RunProgress.make(),
        identity: undefined,
        store: undefined
      }
      const slotMillis = Option.getOrElse(slot, () => startedMillis)
      if (listen !== undefined) {
        // Loaded only where it is asked for: a server is a third of what a run loads at its start.
        const { open } = yield* Effect.promise(() => import("./RunListener.ts"))
        yield* open(listen, known.progress)
      }
      const exit = yield* Effect.exit(work(file, slotMillis, places, known))
      const completedMillis = yield* Clock.currentTimeMillis
      const report = Exit.match(exit, {
        onSuccess: (success) => RunReporting.ofSuccess(known, completedMillis, success),
        onFailure: (cause) => RunReporting.ofFailure(known, completedMillis, RunReporting.explain(known, cause))
      })
      yield* RunReporting.write(report, reportFile, known.store)
      yield* tell(report)
      const outcome = yield* Shutdown.Outcome
      outcome.exitCode = report.exitCode
      if (report.exitCode !== exitCodes.success) return yield* new RunFailed({ exitCode: report.exitCode })
    },
    Effect.scoped,
    Effect.uninterruptible
  )
).pipe(
  Command.withDescription(
    "Make one backup, prove it, and apply retention. Prints a table on a terminal, else JSON lines, the last one the report"
  ),
  Command.withShortDescription("Make one backup, prove it, and apply retention"),
  Command.withExamples([
    {
      command: "kafka-backup run -f backup.yaml --volumes /mnt --secrets ./secrets",
      description: "back up into the claim's directory below /mnt, with credentials from files"
    },
    {
      command: "kafka-backup run -f backup.yaml --slot 2026-11-23T12:00:00Z --report report.json",
      description: "make, resume or find the backup of that slot, and keep the report"
    }
  ])
)
