import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import type { KafkaRestore } from "../resource/KafkaRestore.ts"
import * as Restore from "../restore/Restore.ts"
import type { PlannedTopic } from "../restore/RestorePlan.ts"
import * as RestorePlan from "../restore/RestorePlan.ts"
import * as SpecRequest from "../restore/SpecRequest.ts"
import * as TopicConfigs from "../restore/TopicConfigs.ts"
import * as RestoreWorker from "../RestoreWorker.ts"
import * as Format from "../status/Format.ts"
import * as Memory from "../worker/Memory.ts"
import * as Display from "./Display.ts"
import * as Resource from "./Resource.ts"
import { output, shared } from "./SharedFlags.ts"
import * as StandardOutput from "./StandardOutput.ts"
import * as Table from "./Table.ts"

/**
 * Most bytes of a batch before compression: below the limit of Kafka's brokers by default (message.max.bytes, 1 MiB).
 */
const batchBytes = 900 * 1024

/** How long a partition may make no progress: as long as a run waits for a broker by default. */
const patienceMillis = 10 * 60 * 1000

const columns: ReadonlyArray<Table.Column> = [
  { heading: "SOURCE" },
  { heading: "TARGET" },
  { heading: "ACTION" },
  { heading: "PARTITIONS", align: "right" },
  { heading: "RECORDS", align: "right" },
  { heading: "OFFSETS" }
]

const recordsOf = ({ partitions }: PlannedTopic) => partitions.reduce((sum, { records }) => sum + records, 0)

const actions = ({ plan, targets }: Restore.Prepared) =>
  plan.topics.map((topic) => ({
    source: topic.source,
    target: topic.target,
    action: targets.find((one) => one.topic === topic)?.create === undefined ? "write" : "create and write",
    partitions: topic.partitions.length,
    records: recordsOf(topic),
    offsets: topic.renumbered === undefined ? "as in the backup" : "new, from 0 on",
    configurationsLeftOut: TopicConfigs.leftOut(topic.configs)
  }))

const table = (prepared: Restore.Prepared): string =>
  Table.format(
    columns,
    actions(prepared).map(({ action, offsets, partitions, records, source, target }) => [
      source,
      target,
      action,
      Format.count(partitions),
      Format.count(records),
      offsets
    ])
  )

/** What is left to know when a restore is complete. */
const notes = ({ refusedConfigs, targets }: Restore.Restored): ReadonlyArray<string> => [
  ...targets.flatMap(({ topic }) =>
    TopicConfigs.leftOut(topic.configs).map((name) => `Note: ${topic.target} does not get the configuration ${name}`)
  ),
  ...refusedConfigs.map(
    ({ name, topic }) => `Note: ${topic} does not get the configuration ${name}: the brokers refuse it`
  ),
  "Note: retention.ms and retention.bytes of the restored topics are -1, so that no broker removes old records again. " +
    "Set them with kafka-configs when the records have been read"
]

const dryRun = (prepared: Restore.Prepared, format: "text" | "json"): string =>
  format === "json"
    ? JSON.stringify({ dryRun: true, backupId: prepared.plan.backupId, topics: actions(prepared) }, null, 2)
    : [table(prepared), "Nothing was written. Everything that can be checked beforehand is in order."].join("\n")

const done = (restored: Restore.Restored, format: "text" | "json"): string =>
  format === "json"
    ? JSON.stringify(
        {
          backupId: restored.plan.backupId,
          records: restored.records,
          topics: actions(restored),
          notes: notes(restored)
        },
        null,
        2
      )
    : [
        table(restored),
        ...notes(restored),
        `OK ${restored.plan.backupId}: ${Format.count(restored.records)} records were written, read back and compared`
      ].join("\n")

const carryOut = Effect.fnUntraced(function* (
  resource: KafkaRestore,
  flags: Resource.Directories & { readonly dryRun: boolean; readonly output: "text" | "json" }
) {
  const systems = yield* RestoreWorker.open(resource, flags.volumes).pipe(Effect.provide(Resource.secretsLayer(flags)))
  const request = SpecRequest.request(resource)
  const prepared = yield* Restore.prepare(systems, request)
  if (flags.dryRun || resource.spec.dryRun) return yield* StandardOutput.print(dryRun(prepared, flags.output))
  let written = 0
  const total = RestorePlan.records(prepared.plan)
  const restored = yield* Restore.run(systems, request, prepared, {
    openPartitions: Memory.limitBytes() < 512 * 1024 * 1024 ? 4 : 8,
    batchBytes,
    patienceMillis,
    onAppended: (records) => {
      written += records
    }
  }).pipe(
    Display.during(
      () => `restoring ${prepared.plan.backupId}: ${Format.count(written)} of ${Format.count(total)} records written`
    )
  )
  yield* StandardOutput.print(done(restored, flags.output))
})

export const restore = Command.make(
  "restore",
  {
    ...shared,
    output,
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDefault(false),
      Flag.withDescription("check everything and print what would be done; nothing is written")
    )
  },
  Effect.fnUntraced(function* (flags) {
    const resource = yield* Resource.readRestore(flags.file)
    yield* Resource.assertDirectories(resource, flags)
    yield* carryOut(resource, flags)
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Write the topics of a backup into a Kafka cluster: every record at its old offset, read back and compared. The same " +
      "restore again goes on where it stopped. -f takes a KafkaRestore manifest. A topic that holds records of others is " +
      "never written to"
  ),
  Command.withShortDescription("Write the topics of a backup into a Kafka cluster"),
  Command.withExamples([
    {
      command: "kafka-backup restore -f restore.yaml --secrets secrets --volumes volumes --dry-run",
      description: "what would be done"
    },
    { command: "kafka-backup restore -f restore.yaml --secrets secrets", description: "restore, or go on" }
  ])
)
