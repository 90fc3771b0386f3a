import { Effect, Option, Schema, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { exitCodes } from "../outcome/ExitCodes.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import type { ManifestSegment, ManifestTopic } from "../manifest/Manifest.ts"
import * as Formats from "../segment/Formats.ts"
import { SegmentDamaged, SegmentError } from "../segment/SegmentError.ts"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import { backupId } from "./DescribeCommand.ts"
import * as ExportedRecord from "./ExportedRecord.ts"
import * as Quantities from "./Quantities.ts"
import * as Resource from "./Resource.ts"
import { shared } from "./SharedFlags.ts"
import * as StandardOutput from "./StandardOutput.ts"
import { UsageError } from "./UsageError.ts"

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

const wholeNumber = (name: string, description: string) =>
  Flag.Int(name).pipe(
    Flag.withMetavar("N"),
    Flag.filter(
      (n) => n >= 0,
      () => "a whole number from 0 on"
    ),
    Flag.optional,
    Flag.map(Option.getOrUndefined),
    Flag.withDescription(description)
  )

/** The topic of that name; refuses a name or a partition that the set does not have. */
const topicOf = (set: Catalogue.BackupSet, name: string, partition: number | undefined) => {
  const topic = set.manifest.topics.find((candidate) => candidate.name === name)
  if (topic === undefined) {
    const names = set.manifest.topics.map((candidate) => candidate.name)
    const shown = names.slice(0, 20).join(", ") + (names.length > 20 ? ", …" : "")
    const detail = `${set.backupId} has no topic ${name}`
    return Effect.fail(new NotInBackup({ detail, advice: `its topics are: ${shown || "none"}` }))
  }
  const partitions = topic.original_partition_count ?? 0
  const isThere =
    partition === undefined || partition < partitions || topic.partitions.some((p) => p.partition_id === partition)
  if (isThere) return Effect.succeed(topic)
  const detail = `topic ${name} has no partition ${partition} in ${set.backupId}`
  return Effect.fail(
    new NotInBackup({ detail, advice: `see its partitions with: kafka-backup describe ${set.backupId} -f <file>` })
  )
}

/** The records of one segment, proven first: nothing comes out of it when its checksum turns out wrong. */
const records = (store: ObjectStoreShape, place: ExportedRecord.TopicPartition, segment: ManifestSegment) =>
  Formats.reader.provenRecords(segment.key, store.read(ObjectKey.make(segment.key))).pipe(
    Stream.mapError((error) => {
      const affected = `${place.topic}[${place.partition}] ${Quantities.offsets(segment.start_offset, segment.end_offset + 1)}`
      if (error instanceof SegmentError) {
        if (error.reason._tag !== "SegmentDamaged") return error
        const detail = `${error.reason.detail} (${affected})`
        return new SegmentError({ reason: new SegmentDamaged({ key: segment.key, detail }) })
      }
      if (error.reason._tag !== "ObjectNotFound") return error
      return new SegmentError({
        reason: new SegmentDamaged({ key: segment.key, detail: `is not there; affected: ${affected}` })
      })
    })
  )

/** Which records to show, and how. */
interface Selection {
  readonly partition: number | undefined
  readonly from: number
  /** Exclusive. */
  readonly until: number
  /** Names of the headers to leave out. */
  readonly addedHeaders: ReadonlyArray<string>
  readonly format: typeof ExportedRecord.jsonLine
}

const printed = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  topic: ManifestTopic,
  { addedHeaders, format, from, partition: only, until }: Selection
) {
  for (const partition of topic.partitions.toSorted((a, b) => a.partition_id - b.partition_id)) {
    if (only !== undefined && partition.partition_id !== only) continue
    const place = { topic: topic.name, partition: partition.partition_id }
    for (const segment of partition.segments) {
      if (segment.end_offset < from || segment.start_offset >= until) continue
      yield* records(store, place, segment).pipe(
        Stream.runForEach((batch) => {
          let text = ""
          for (const record of batch) {
            if (record.offset < from || record.offset >= until) continue
            text += format(place, record, ExportedRecord.ownHeaders(record.headers, addedHeaders))
          }
          return text === "" ? Effect.void : StandardOutput.write(text)
        })
      )
    }
  }
})

export const exportRecords = Command.make(
  "export",
  {
    ...shared,
    backupId,
    topic: Flag.String("topic").pipe(
      Flag.withAlias("t"),
      Flag.withMetavar("TOPIC"),
      Flag.withDescription("topic to read")
    ),
    partition: wholeNumber("partition", "only this partition (default: all, one after the other)"),
    from: wholeNumber("from", "first offset to show (default: the first)"),
    until: wholeNumber("until", "first offset NOT to show (default: to the end)"),
    output: Flag.Literals("output", ["jsonl", "text"]).pipe(
      Flag.withAlias("o"),
      Flag.withMetavar("FORMAT"),
      Flag.withDefault("jsonl" as const),
      Flag.withDescription("jsonl keeps everything, one JSON object a line (default); text is for reading")
    ),
    storedHeaders: Flag.Boolean("stored-headers").pipe(
      Flag.withDefault(false),
      Flag.withDescription("also show the headers that the backup itself added (includeOffsetHeaders)")
    )
  },
  Effect.fnUntraced(function* (flags) {
    const from = flags.from ?? 0
    const until = flags.until ?? Number.POSITIVE_INFINITY
    if (until <= from) {
      return yield* new UsageError({
        detail: `--until ${until} leaves nothing from offset ${from} on`,
        advice: `--until is the first offset not to show: give --until ${from + 1} to see offset ${from} alone`
      })
    }
    const { store } = yield* Resource.openStore(flags.file, flags)
    const set = yield* Catalogue.open(store, flags.backupId)
    const topic = yield* topicOf(set, flags.topic, flags.partition)
    yield* printed(store, topic, {
      partition: flags.partition,
      from,
      until,
      addedHeaders: flags.storedHeaders ? [] : (set.facts?.addedHeaders ?? []),
      format: flags.output === "jsonl" ? ExportedRecord.jsonLine : ExportedRecord.textLine
    }).pipe(StandardOutput.untilReaderLeaves)
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Read records out of a backup, without Kafka. Every segment is proven before anything of it is shown. In JSON lines, " +
      "null and empty differ, headers keep their order and duplicates, and what is not UTF-8 is base64 under keyBase64 or valueBase64"
  ),
  Command.withShortDescription("Read records out of a backup, without Kafka"),
  Command.withExamples([
    {
      command:
        "kafka-backup export orders-20261123-120000 -f backup.yaml --topic orders --partition 0 --from 100 --until 110",
      description: "ten offsets as JSON lines"
    },
    {
      command: "kafka-backup export orders-20261123-120000 -f backup.yaml -t orders -o text | less",
      description: "read a topic"
    }
  ])
)
