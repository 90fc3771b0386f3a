import { Clock, Console, type Duration, Effect, Layer, References } from "effect"
import { Command } from "effect/cli"
import { TestClock } from "effect/testing"
import type { InMemoryCluster } from "../../kafka/memory/InMemoryCluster.ts"
import type { KubernetesError } from "../../kubernetes/KubernetesError.ts"
import type { KafkaRestoreStatus } from "../../resource/KafkaRestoreStatus.ts"
import type { Status } from "../../status/Status.ts"
import { ObjectStores } from "../../storage/ObjectStore.ts"
import type { Kubectl } from "../../testing/Kubectl.ts"
import { OperatorHarness } from "../../testing/OperatorHarness.ts"
import { version } from "../../version.ts"
import { bootstrapServer } from "./DemoManifests.ts"
import { describe } from "../DescribeCommand.ts"
import { exportRecords } from "../ExportCommand.ts"
import { list } from "../ListCommand.ts"
import { verify } from "../VerifyCommand.ts"

/** The date on the demo's clock, which skips waiting times. */
const day = "2026-11-25"
const millisAt = (time: string): number => Date.parse(`${day}T${time}:00Z`)

/** When the operator starts. */
const beginning = "11:57"

/** Real milliseconds per virtual second while a pod works: slow enough to watch, and for slow machines to keep up. */
const paceMillis = 15

/** Virtual time to wait for a status; a run of the demo takes less than a minute of it. */
const patienceMillis = 600_000

/** The commands of kafka-backup that the demo runs. */
const commandLine = Command.make("kafka-backup").pipe(Command.withSubcommands([list, describe, verify, exportRecords]))

/**
 * The demo's stage: an operator with Kubernetes and Kafka in memory and a directory as storage, and the commands that a
 * user types. Lives as long as the scope.
 */
export const make = Effect.fn("DemoStage.make")(function* (volumes: string) {
  const stores = yield* ObjectStores
  const world = yield* Layer.build(
    OperatorHarness.layerOn({ stores, volumes, paceMillis }).pipe(
      Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(millisAt(beginning)))),
      Layer.provideMerge(TestClock.layer()),
      // The demo shows Events instead of the operator's log.
      Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None"))
    )
  )
  const onStage = Effect.provideContext(world)
  const harness = yield* onStage(Effect.service(OperatorHarness))
  const cluster: InMemoryCluster = yield* harness.kafka(bootstrapServer)

  const pass = (duration: Duration.Input) => onStage(harness.advance(duration))

  /** Shows a kubectl command and what it prints. */
  const kubectl = (typed: string, ask: (kubectl: Kubectl) => Effect.Effect<string, KubernetesError>) =>
    Effect.gen(function* () {
      yield* Console.log(`\n$ kubectl ${typed}`)
      yield* Console.log(yield* onStage(ask(harness.kubectl)))
      yield* pass("2 seconds")
    })

  /** Shows how a resource changes until `isWanted` holds. */
  const watchAny = Effect.fnUntraced(function* <A extends Watched>(
    kind: string,
    name: string,
    ask: Effect.Effect<A | undefined, KubernetesError>,
    isWanted: (status: A) => boolean
  ) {
    const columns = "PHASE:.status.phase,PERCENT:.status.progress.percent,RECORDS:.status.progress.records"
    yield* Console.log(`\n$ kubectl get ${kind} ${name} --watch -o custom-columns=${columns}`)
    yield* Console.log(watched(["PHASE", "PERCENT", "RECORDS"]))
    let shown = ""
    for (let waitedMillis = 0; waitedMillis < patienceMillis; waitedMillis += 1000) {
      const status = yield* onStage(ask)
      const { percent, records } = status?.progress ?? {}
      const line = watched([status?.phase, percent, records].map((value) => String(value ?? "<none>")))
      if (line !== shown) yield* Console.log(line)
      shown = line
      if (status !== undefined && isWanted(status)) return
      yield* pass("1 second")
    }
    return yield* Effect.die(new Error(`the demo's ${kind} ${name} did not reach the expected status`))
  })
  const watch = (name: string, isWanted: (status: Status) => boolean) =>
    watchAny("kafkabackup", name, harness.kubectl.status(name), isWanted)
  const watchRestore = (name: string, isWanted: (status: KafkaRestoreStatus) => boolean) =>
    watchAny("kafkarestore", name, harness.kubectl.restores.status(name), isWanted)

  return {
    /** Changes the Kafka cluster. */
    kafka: <A>(work: (cluster: InMemoryCluster) => Effect.Effect<A>) => onStage(work(cluster)),
    start: Effect.asVoid(onStage(harness.start())),
    kubectl,
    watch,
    watchRestore,
    /** Lets time pass until this time of day, `12:00`, and shows a heading. */
    scene: Effect.fnUntraced(function* (time: string, what: string) {
      yield* pass(Math.max(0, millisAt(time) - (yield* onStage(Clock.currentTimeMillis))))
      yield* Console.log(`\n── ${time} UTC ── ${what}`)
    }),
    say: Console.log,
    /** Shows and runs a command of kafka-backup. */
    type: Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
      yield* Console.log(`\n$ kafka-backup ${args.join(" ")}`)
      yield* Command.runWith(commandLine, { version })(args)
    })
  }
})

/** What a status must have to be watched. */
interface Watched {
  readonly phase?: string
  readonly progress?: { readonly percent?: number; readonly records?: number }
}

export type Stage = Effect.Success<ReturnType<typeof make>>

const watched = (cells: ReadonlyArray<string>): string =>
  cells
    .map((cell) => cell.padEnd(12))
    .join("")
    .trimEnd()
