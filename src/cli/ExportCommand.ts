import { Effect, Option, Schema, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { exitCodes } from "../outcome/ExitCodes.ts"
import { resource as resourceOf } from "../backup/SpecRequest.ts"
import { ownerOf } from "../manifest/Adoption.ts"
import type * as Catalogue from "../manifest/Catalogue.ts"
import * as KnownSet from "../manifest/KnownSet.ts"
import type { ManifestSegment, ManifestTopic } from "../manifest/Manifest.ts"
import * as Seal from "../manifest/Seal.ts"
import * as Verification from "../manifest/Verification.ts"
import { SegmentDamaged, SegmentError } from "../segment/SegmentError.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import { backupId } from "./DescribeCommand.ts"
import * as ExportedRecord from "./ExportedRecord.ts"
import * as LogStart from "../restore/LogStart.ts"
import * as Quantities from "./Quantities.ts"
import { didYouMean } from "../resource/Near.ts"
import * as Resource from "./Resource.ts"
import { shared } from "./SharedFlags.ts"
import * as StandardOutput from "./StandardOutput.ts"
import { UsageError } from "./UsageError.ts"

/** The backup has no such topic or partition. */
export class NotInBackup extends Schema.TaggedError<NotInBackup>()("NotInBackup", {
  detail: Schema.String,
  advice: Schema.String
}) {
  override get message() {
    return this.detail
  }
  readonly exitCode = exitCodes.notFound
}

/** The records were printed as a manifest names them that is not the one that was committed. */
export class ExportNotProven extends Schema.TaggedError<ExportNotProven>()("ExportNotProven", {
  key: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.key} ${this.detail}: nobody knows whether these are all records, and those of this topic`
  }
  readonly advice = "put the right manifest.json back and repeat, or export from another backup"
  readonly exitCode = exitCodes.notProven
}

const wholeNumber = (name: string, description: string) =>
  Flag.Int(name).pipe(
    Flag.withMetavar("N"),
    Flag.filter(
      (n) => n >= 0,
      () => "a whole number, 0 or more"
    ),
    Flag.optional,
    Flag.map(Option.getOrUndefined),
    Flag.withDescription(description)
  )

/** The topic of that name; fails for a topic or a partition that the backup does not have. */
const topicOf = (set: Catalogue.BackupSet, name: string, partition: number | undefined) => {
  const topic = set.manifest.topics.find((candidate) => candidate.name === name)
  if (topic === undefined) {
    const names = set.manifest.topics.map((candidate) => candidate.name)
    const shown = names.slice(0, 20).join(", ") + (names.length > 20 ? ", …" : "")
    const detail = `${set.backupId} has no topic ${name}${didYouMean([name], names)}`
    return Effect.fail(new NotInBackup({ detail, advice: `choose one of its topics: ${shown || "it has none"}` }))
  }
  const partitions = topic.original_partition_count ?? 0
  const isThere =
    partition === undefined || partition < partitions || topic.partitions.some((p) => p.partition_id === partition)
  if (isThere) return Effect.succeed(topic)
  const detail = `topic ${name} has no partition ${partition} in ${set.backupId}`
  return Effect.fail(
    new NotInBackup({ detail, advice: `see its partitions: kafka-backup describe ${set.backupId} -f <file>` })
  )
}

/** A segment that cannot be printed. */
class PartDamaged extends Schema.TaggedError<PartDamaged>()("PartDamaged", { reason: SegmentDamaged }) {
  override get message() {
    return this.reason.message
  }
  readonly isRetryable = false
  readonly advice =
    "make a new backup now, if Kafka still has the records: an incremental one often repairs this one, too; else export what is whole with --partition, --from and --until, or use another backup: kafka-backup verify --deep names all damaged parts"
}

/** The records of one segment, verified first: one with a wrong checksum, or of another topic, gives no record. */
const records = (store: ObjectStoreShape, from: ExportedRecord.TopicPartition, segment: ManifestSegment) =>
  Verification.provenRecords(store, segment).pipe(
    Stream.mapError((error) => {
      const affected = `${from.topic}[${from.partition}] ${Quantities.offsets(segment.start_offset, segment.end_offset + 1)}`
      if (error instanceof SegmentError) {
        if (error.reason._tag !== "SegmentDamaged") return error
        const detail = `${error.reason.detail} (${affected})`
        return new PartDamaged({ reason: new SegmentDamaged({ key: segment.key, detail }) })
      }
      if (error.reason._tag !== "ObjectNotFound") return error
      return new PartDamaged({
        reason: new SegmentDamaged({ key: segment.key, detail: `does not exist (${affected})` })
      })
    })
  )

/** The records to print, and their format. */
interface Selection {
  readonly partition: number | undefined
  readonly from: number
  readonly logStart: LogStart.LogStarts
  /** Exclusive. */
  readonly until: number
  /** Names of the headers that the backup added, to leave out. */
  readonly addedHeaders: ReadonlyArray<string>
  readonly format: typeof ExportedRecord.jsonLine
}

const printed = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  topic: ManifestTopic,
  { addedHeaders, format, from: wanted, logStart, partition: only, until }: Selection
) {
  for (const partition of topic.partitions.toSorted((a, b) => a.partition_id - b.partition_id)) {
    if (only !== undefined && partition.partition_id !== only) continue
    const topicPartition = { topic: topic.name, partition: partition.partition_id }
    const from = Math.max(wanted, logStart(topic.name, partition.partition_id) ?? 0)
    for (const segment of partition.segments) {
      if (segment.end_offset < from || segment.start_offset >= until) continue
      yield* records(store, topicPartition, segment).pipe(
        Stream.runForEach((batch) => {
          let text = ""
          for (const record of batch) {
            if (record.offset < from || record.offset >= until) continue
            text += format(topicPartition, record, ExportedRecord.ownHeaders(record.headers, addedHeaders))
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
    partition: wholeNumber("partition", "partition to read (default: all, one after the other)"),
    from: wholeNumber("from", "first offset to print (default: the first one stored)"),
    until: wholeNumber("until", "first offset NOT to print (default: print to the end)"),
    output: Flag.Literals("output", ["jsonl", "text"]).pipe(
      Flag.withAlias("o"),
      Flag.withMetavar("FORMAT"),
      Flag.withDefault("jsonl" as const),
      Flag.withDescription("jsonl for programs: one JSON object per line, nothing is lost (default); text for people")
    ),
    storedHeaders: Flag.Boolean("stored-headers").pipe(
      Flag.withDefault(false),
      Flag.withDescription("also print the headers that the backup added (includeOffsetHeaders)")
    )
  },
  Effect.fnUntraced(function* (flags) {
    const from = flags.from ?? 0
    const until = flags.until ?? Number.POSITIVE_INFINITY
    if (until <= from) {
      return yield* new UsageError({
        detail: `--until ${until} must be greater than --from ${from}`,
        advice: `--until is the first offset NOT to print: give --until ${from + 1} to print offset ${from} alone`
      })
    }
    const { backup, store } = yield* Resource.openStore(flags.file, flags)
    const set = yield* KnownSet.open(store, ownerOf(resourceOf(backup)), flags.backupId)
    const topic = yield* topicOf(set, flags.topic, flags.partition)
    yield* printed(store, topic, {
      partition: flags.partition,
      from,
      logStart: LogStart.of(set),
      until,
      addedHeaders: flags.storedHeaders ? [] : (set.facts?.addedHeaders ?? []),
      format: flags.output === "jsonl" ? ExportedRecord.jsonLine : ExportedRecord.textLine
    }).pipe(StandardOutput.untilReaderLeaves)
    const [altered] = yield* Seal.manifestProblems(store, set)
    if (altered !== undefined) return yield* new ExportNotProven(altered)
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Read records from a backup, without Kafka. Each segment is verified before any of its records is printed. In JSON " +
      "lines, null and empty values differ, headers keep their order and duplicates, and bytes that are not UTF-8 are " +
      "base64 in keyBase64 or valueBase64"
  ),
  Command.withShortDescription("Read records from a backup, without Kafka"),
  Command.withExamples([
    {
      command:
        "kafka-backup export orders-20261123-120000 -f backup.yaml --topic orders --partition 0 --from 100 --until 110",
      description: "ten offsets as JSON lines"
    },
    {
      command: "kafka-backup export orders-20261123-120000 -f backup.yaml -t orders -o text | less",
      description: "a whole topic, for reading"
    }
  ])
)
