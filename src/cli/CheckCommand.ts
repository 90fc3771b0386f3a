import { Clock, Effect, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { hostname } from "node:os"
import * as CheckWorker from "../CheckWorker.ts"
import { heldBack, plannedOffsets, type RunPlan } from "../manifest/RunPlan.ts"
import * as Format from "../status/Format.ts"
import * as Connections from "../worker/Connections.ts"
import * as Display from "./Display.ts"
import * as Quantities from "./Quantities.ts"
import * as Resource from "./Resource.ts"
import { output, shared, summary } from "./SharedFlags.ts"
import * as StandardOutput from "./StandardOutput.ts"
import * as SummaryFile from "./SummaryFile.ts"
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
interface Line {
  readonly subject: "storage" | "kafka"
  readonly name: string
  readonly outcome: "ok" | "note" | "failed"
  readonly detail: string
  readonly advice?: string
  readonly exitCode?: number
}

const readable = (plan: RunPlan): ReadonlyArray<Line> => {
  const partitions = plan.topics.reduce((n, topic) => n + topic.partitions.length, 0)
  const [topics, offsets] = [Format.count(plan.topics.length), Format.count(plannedOffsets(plan))]
  return [
    {
      subject: "kafka",
      name: "selected topics are readable",
      outcome: "ok",
      detail: `${topics} topics, ${Format.count(partitions)} partitions, ${offsets} offsets`
    },
    ...heldBack(plan).map(({ highWatermark, partition, topic, until }): Line => ({
      subject: "kafka",
      name: "open transaction",
      outcome: "note",
      detail: `${topic}[${partition}]: ${Quantities.offsets(until, highWatermark)} would not be in a backup made now`
    })),
    ...plan.notes.map((detail): Line => ({ subject: "kafka", name: "note", outcome: "note", detail }))
  ]
}

const lines = ({ checks, plan }: CheckWorker.Checked): ReadonlyArray<Line> => [
  ...checks.map(({ detail, failure, name, outcome, subject }): Line => ({
    subject,
    name,
    outcome,
    detail,
    ...(failure === undefined ? {} : { advice: failure.advice, exitCode: failure.exitCode })
  })),
  ...(plan === undefined ? [] : readable(plan))
]

const columns: ReadonlyArray<Table.Column> = [
  { heading: "TARGET" },
  { heading: "CHECK" },
  { heading: "RESULT" },
  { heading: "DETAIL" }
]

const text = (checks: ReadonlyArray<Line>) =>
  [
    Table.format(
      columns,
      checks.map(({ detail, name, outcome, subject }) => [subject, name, outcome, detail])
    ),
    ...checks.flatMap(({ advice, name, subject }) => (advice === undefined ? [] : [`${subject}, ${name}: ${advice}`]))
  ].join("\n")

const flags = {
  ...shared,
  output,
  quick: Flag.Boolean("quick").pipe(
    Flag.withDefault(false),
    Flag.withDescription("leave out the upload of an object as large as a segment")
  ),
  summary
}

/** Checks, and writes the summary however that ends. */
const recorded = Effect.fnUntraced(function* (given: Command.Command.Config.Infer<typeof flags>) {
  const startedMillis = yield* Clock.currentTimeMillis
  let underWay = "opening storage"
  const work = Effect.gen(function* () {
    const backup = yield* Resource.read(given.file)
    return yield* CheckWorker.checked(backup, {
      host: hostname(),
      isQuick: given.quick,
      storage: Resource.storageTarget(backup, given),
      kafka: Connections.kafka(backup.spec.kafkaCluster).pipe(Effect.provide(Resource.secretsLayer(given))),
      begins: (name) => {
        underWay = name
      },
      // Who checks by hand can stop it.
      ...(Resource.isRunSpec(given.file) ? { within: CheckWorker.podLimit } : {})
    })
  })
  return yield* Display.during(() => `checking: ${underWay}`)(work).pipe(
    Effect.onExit((exit) =>
      Effect.flatMap(Clock.currentTimeMillis, (completedMillis) =>
        SummaryFile.write(given.summary, CheckWorker.summary(startedMillis, completedMillis, exit))
      )
    )
  )
})

export const check = Command.make(
  "check",
  flags,
  Effect.fnUntraced(function* (given) {
    const checked = yield* recorded(given)
    const found = lines(checked)
    yield* StandardOutput.print(given.output === "json" ? JSON.stringify(found, null, 2) : text(found))
    const [first, ...others] = CheckWorker.failures(checked)
    if (first !== undefined) {
      return yield* new CheckFailed({ failed: 1 + others.length, exitCode: first.exitCode })
    }
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Check everything that a run needs, without making a backup: storage, Kafka, and the rights on every topic. Uploads one " +
      "object as large as a segment to storage, and removes it"
  ),
  Command.withShortDescription("Check everything that a run needs, without making a backup")
)
