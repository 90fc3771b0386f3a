import { Clock, Effect, Exit, Schema } from "effect"
import { Command } from "effect/cli"
import { hostname } from "node:os"
import * as Connections from "../worker/Connections.ts"
import * as Explanation from "../worker/Explanation.ts"
import * as Memory from "../worker/Memory.ts"
import * as Planning from "../backup/Planning.ts"
import * as Preflight from "../worker/Preflight.ts"
import * as SpecRequest from "../backup/SpecRequest.ts"
import { KafkaSources } from "../kafka/KafkaSource.ts"
import { heldBack, plannedOffsets, type RunPlan } from "../manifest/RunPlan.ts"
import * as BackupId from "../identity/BackupId.ts"
import { slotText } from "../identity/RunIdentity.ts"
import type { KafkaBackup } from "../resource/KafkaBackup.ts"
import { ObjectStores } from "../storage/ObjectStore.ts"
import * as Format from "../status/Format.ts"
import * as Display from "./Display.ts"
import * as Quantities from "./Quantities.ts"
import * as Resource from "./Resource.ts"
import { output, shared } from "./SharedFlags.ts"
import * as StandardOutput from "./StandardOutput.ts"
import * as Table from "./Table.ts"

/** At least one check failed. Each failure has been printed with its advice. */
export class CheckFailed extends Schema.TaggedError<CheckFailed>()("CheckFailed", {
  failed: Schema.Int,
  exitCode: Schema.Int
}) {
  override get message() {
    return `${this.failed} check${this.failed === 1 ? "" : "s"} failed: a run would fail too`
  }
  readonly advice = "follow the advice for each failed check above"
}

/** One line of the table. */
interface Check {
  readonly subject: "storage" | "kafka"
  readonly name: string
  readonly outcome: "ok" | "note" | "failed"
  readonly detail: string
  readonly advice?: string
  readonly exitCode?: number
}

const failed = (subject: Check["subject"], name: string, exit: Exit.Failure<unknown, unknown>): Check => {
  const { advice, exitCode, message } = Explanation.explain(exit.cause)
  return { subject, name, outcome: "failed", detail: message, advice, exitCode }
}

const storage = Effect.fnUntraced(function* (
  backup: KafkaBackup,
  directories: Resource.Directories,
  begins: (name: string) => void
) {
  const opened = yield* Effect.exit(
    Effect.gen(function* () {
      return yield* (yield* ObjectStores).open(yield* Resource.storageTarget(backup, directories))
    })
  )
  if (Exit.isFailure(opened)) return [failed("storage", "reachable", opened)]
  const store = opened.value
  const owner = SpecRequest.owner(backup)
  const { settings } = SpecRequest.request(backup, { owner, slot: slotText(0) }, hostname())
  const { segmentBytes } = Memory.bounds(settings, Memory.limitBytes())
  const results = yield* Preflight.checkStorage(store, owner, segmentBytes, (name) => begins(`storage ${name}`))
  return [
    { subject: "storage", name: "reachable", outcome: "ok", detail: store.location } satisfies Check,
    ...results.map(({ exit, name }): Check =>
      Exit.isFailure(exit)
        ? failed("storage", name, exit)
        : { subject: "storage", name, outcome: "ok", detail: exit.value ?? "" }
    )
  ]
})

const readable = (plan: RunPlan): ReadonlyArray<Check> => {
  const partitions = plan.topics.reduce((n, topic) => n + topic.partitions.length, 0)
  const [topics, offsets] = [Format.count(plan.topics.length), Format.count(plannedOffsets(plan))]
  return [
    {
      subject: "kafka",
      name: "selected topics are readable",
      outcome: "ok",
      detail: `${topics} topics, ${Format.count(partitions)} partitions, ${offsets} offsets`
    },
    ...heldBack(plan).map(({ highWatermark, partition, topic, until }): Check => ({
      subject: "kafka",
      name: "open transaction",
      outcome: "note",
      detail: `${topic}[${partition}]: ${Quantities.offsets(until, highWatermark)} would not be in a backup made now`
    })),
    ...plan.notes.map((detail): Check => ({ subject: "kafka", name: "note", outcome: "note", detail }))
  ]
}

const kafka = Effect.fnUntraced(function* (backup: KafkaBackup, directories: Resource.Directories) {
  const opened = yield* Effect.exit(
    Effect.gen(function* () {
      const target = yield* Connections.kafka(backup.spec.kafkaCluster).pipe(
        Effect.provide(Resource.secretsLayer(directories))
      )
      return yield* (yield* KafkaSources).open(target)
    })
  )
  if (Exit.isFailure(opened)) return [failed("kafka", "reachable", opened)]
  const source = opened.value
  const slotMillis = yield* Clock.currentTimeMillis
  const request = SpecRequest.request(backup, SpecRequest.identity(backup, slotText(slotMillis)), hostname())
  // The same plan as in a run; it is not stored.
  const plan = yield* Effect.exit(Planning.make(source, request, BackupId.forSlot(backup.metadata.name, slotMillis)))
  return [
    { subject: "kafka", name: "reachable", outcome: "ok", detail: source.location } satisfies Check,
    ...(Exit.isFailure(plan) ? [failed("kafka", "topics", plan)] : readable(plan.value))
  ]
})

const columns: ReadonlyArray<Table.Column> = [
  { heading: "TARGET" },
  { heading: "CHECK" },
  { heading: "RESULT" },
  { heading: "DETAIL" }
]

const text = (checks: ReadonlyArray<Check>) =>
  [
    Table.format(
      columns,
      checks.map(({ detail, name, outcome, subject }) => [subject, name, outcome, detail])
    ),
    ...checks.flatMap(({ advice, name, subject }) => (advice === undefined ? [] : [`${subject}, ${name}: ${advice}`]))
  ].join("\n")

export const check = Command.make(
  "check",
  { ...shared, output },
  Effect.fnUntraced(function* (flags) {
    const backup = yield* Resource.read(flags.file)
    let underWay = "opening storage"
    const begins = (name: string) => {
      underWay = name
    }
    const all = Effect.all([storage(backup, flags, begins), kafka(backup, flags)], { concurrency: 2 })
    const checks = (yield* Display.during(() => `checking: ${underWay}`)(all)).flat()
    yield* StandardOutput.print(flags.output === "json" ? JSON.stringify(checks, null, 2) : text(checks))
    const failures = checks.flatMap((c) => (c.exitCode === undefined ? [] : [c.exitCode]))
    if (failures[0] !== undefined) {
      return yield* new CheckFailed({ failed: failures.length, exitCode: failures[0] })
    }
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Check everything that a run needs, without making a backup: storage, Kafka, and the rights on every topic. Uploads one " +
      "object as large as a segment to storage, and removes it"
  ),
  Command.withShortDescription("Check everything that a run needs, without making a backup")
)
