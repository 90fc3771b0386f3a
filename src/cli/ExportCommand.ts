import { Effect, Option, Schema, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { once } from "node:events"
import { exitCodes } from "../backup/ExitCode.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import * as KbakReader from "../segment/KbakReader.ts"
import { ObjectKey } from "../storage/ObjectStore.ts"
import { backupId } from "./DescribeCommand.ts"
import * as ExportedRecord from "./ExportedRecord.ts"
import * as Resource from "./Resource.ts"
import { shared } from "./SharedFlags.ts"

/** The set has no such topic or partition. */
export class NotInBackup extends Schema.TaggedError<NotInBackup>()("NotInBackup", {
  detail: Schema.String,
  advice: Schema.String
}) {
  override get message() {
    return this.detail
  }
  readonly exitCode = exitCodes.notFound
}

/** Writes to standard output, waiting when the reader is slower than we are. */
const write = (text: string) =>
  Effect.suspend(() =>
    process.stdout.write(text) ? Effect.void : Effect.promise(() => once(process.stdout, "drain") as Promise<unknown>)
  )

const offsetFlag = (name: string, description: string) =>
  Flag.Int(name).pipe(Flag.withMetavar("N"), Flag.optional, Flag.map(Option.getOrUndefined), Flag.withDescription(description))

export const exportRecords = Command.make(
  "export",
  {
    ...shared,
    backupId,
    topic: Flag.String("topic").pipe(Flag.withAlias("t"), Flag.withDescription("topic to read")),
    partition: offsetFlag("partition", "only this partition"),
    from: offsetFlag("from", "first offset to show"),
    until: offsetFlag("until", "first offset NOT to show"),
    output: Flag.Literals("output", ["jsonl", "text"]).pipe(
      Flag.withAlias("o"),
      Flag.withDefault("jsonl" as const),
      Flag.withDescription("jsonl keeps everything, one JSON object a line; text is for reading")
    ),
    storedHeaders: Flag.Boolean("stored-headers").pipe(
      Flag.withDefault(false),
      Flag.withDescription("also show the headers that the backup itself added (includeOffsetHeaders)")
    )
  },
  Effect.fnUntraced(function* (flags) {
    const { store } = yield* Resource.openStore(flags.file, flags)
    const set = yield* Catalogue.open(store, flags.backupId)
    const topic = set.manifest.topics.find((candidate) => candidate.name === flags.topic)
    if (topic === undefined) {
      const names = set.manifest.topics.map((candidate) => candidate.name)
      const shown = names.slice(0, 20).join(", ") + (names.length > 20 ? ", …" : "")
      const detail = `${set.backupId} has no topic ${flags.topic}`
      return yield* new NotInBackup({ detail, advice: `its topics are: ${shown}` })
    }
    const partitionCount = topic.original_partition_count ?? 0
    const isThere = (id: number) => id < partitionCount || topic.partitions.some((p) => p.partition_id === id)
    if (flags.partition !== undefined && (flags.partition < 0 || !isThere(flags.partition))) {
      const detail = `topic ${flags.topic} has no partition ${flags.partition} in ${set.backupId}`
      return yield* new NotInBackup({ detail, advice: `it has ${partitionCount} partitions, from 0` })
    }
    const from = flags.from ?? Number.NEGATIVE_INFINITY
    const until = flags.until ?? Number.POSITIVE_INFINITY
    const added = flags.storedHeaders ? [] : (set.facts?.addedHeaders ?? [])
    const format = flags.output === "jsonl" ? ExportedRecord.jsonLine : ExportedRecord.textLine
    for (const partition of topic.partitions) {
      if (flags.partition !== undefined && partition.partition_id !== flags.partition) continue
      const place = { topic: topic.name, partition: partition.partition_id }
      for (const segment of partition.segments) {
        if (segment.end_offset < from || segment.start_offset >= until) continue
        // Proven first: nothing is shown of a segment whose checksum turns out wrong.
        yield* KbakReader.provenRecords(segment.key, store.read(ObjectKey.make(segment.key))).pipe(
          Stream.runForEach((records) => {
            let text = ""
            for (const record of records) {
              if (record.offset < from || record.offset >= until) continue
              text += format(place, record, ExportedRecord.ownHeaders(record.headers, added))
            }
            return text === "" ? Effect.void : write(text)
          })
        )
      }
    }
  }, Effect.scoped)
).pipe(
  Command.withDescription("Read records out of a backup, without Kafka"),
  Command.withExamples([
    {
      command: "kafka-backup export -f backup.yaml orders-20261123-120000 --topic orders --partition 0 --from 100 --until 110",
      description: "ten offsets as JSON lines"
    }
  ])
)
