import { Effect, Schema } from "effect"
import * as AgainstCluster from "../backup/AgainstCluster.ts"
import { KafkaSources } from "../kafka/KafkaSource.ts"
import type { BackupSet } from "../manifest/Catalogue.ts"
import { exitCodes } from "../outcome/ExitCodes.ts"
import type { KafkaBackup } from "../resource/KafkaBackup.ts"
import * as Format from "../status/Format.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Connections from "../worker/Connections.ts"
import * as Display from "./Display.ts"
import * as Quantities from "./Quantities.ts"
import * as Resource from "./Resource.ts"
import * as Table from "./Table.ts"

/* A backup compared with the live logs, for `verify --against-cluster`. */

/** Kafka holds other records than the backup, and nothing explains it; every difference has been printed. */
export class ClusterDiffers extends Schema.TaggedError<ClusterDiffers>()("ClusterDiffers", {
  backupId: Schema.String,
  partitions: Schema.Array(Schema.String)
}) {
  override get message() {
    return `${this.backupId} differs from the topics in Kafka: ${this.partitions.slice(0, 10).join(", ")}${this.partitions.length > 10 ? ` and ${this.partitions.length - 10} more` : ""}`
  }
  readonly advice =
    "make a new backup and keep this one; report both, with what was printed: either Kafka or the backup holds records that it should not"
  readonly exitCode = exitCodes.notProven
}

/** Kafka has no record of the backup, or none that may be compared; why not has been printed for each partition. */
export class NothingToCompare extends Schema.TaggedError<NothingToCompare>()("NothingToCompare", {
  backupId: Schema.String,
  records: Schema.Int
}) {
  override get message() {
    return `none of the ${Format.count(this.records)} records of ${this.backupId} could be compared with Kafka`
  }
  readonly advice =
    "the notes say why; verify --deep shows without Kafka whether the backup is whole, and a drill whether it can be restored"
  readonly exitCode = exitCodes.notFound
}

/** Opens the cluster of the manifest and compares. Needs the permissions of a run, and reads no faster than one. */
export const compare = Effect.fn("VerifyCluster.compare")(function* (
  backup: KafkaBackup,
  store: ObjectStoreShape,
  set: BackupSet,
  directories: Resource.Directories
) {
  const target = yield* Connections.kafka(backup.spec.kafkaCluster).pipe(
    Effect.provide(Resource.secretsLayer(directories))
  )
  const kafka = yield* (yield* KafkaSources).open(target)
  let equal = 0
  return yield* AgainstCluster.compare(kafka, store, set, backup.spec.rateLimit, (records) => (equal += records)).pipe(
    Display.during(() => `comparing ${set.backupId} with Kafka: ${Format.count(equal)} records are equal`)
  )
})

const columns: ReadonlyArray<Table.Column> = [
  { heading: "TOPIC" },
  { heading: "PARTITION", align: "right" },
  { heading: "COMPARED" },
  { heading: "EQUAL", align: "right" },
  { heading: "NOT IN KAFKA", align: "right" },
  { heading: "DIFFERENT", align: "right" },
  { heading: "NOTES" }
]

const row = (found: AgainstCluster.ComparedPartition): ReadonlyArray<string> => [
  found.topic,
  String(found.partition),
  found.from >= found.until ? "nothing" : Quantities.offsets(found.from, found.until),
  Format.count(found.equal),
  Format.count(found.removed),
  Format.count(found.differing),
  [
    ...found.notes,
    ...(found.unknown === 0 ? [] : [`${Quantities.counted(found.unknown, "record")} not compared`])
  ].join("; ")
]

/** Differences of one partition that are printed. */
const mostPrinted = 5

const differences = ({ differences: found, differing, partition, topic }: AgainstCluster.ComparedPartition) => [
  ...found
    .slice(0, mostPrinted)
    .map(({ detail, offset }) => `DIFFERENT ${topic}[${partition}] offset ${offset}: ${detail}`),
  ...(differing > mostPrinted
    ? [`DIFFERENT ${topic}[${partition}]: ${Format.count(differing)} differences in all`]
    : [])
]

/** What was found in all partitions together. */
const sums = (found: ReadonlyArray<AgainstCluster.ComparedPartition>) => {
  const of = (pick: (one: AgainstCluster.ComparedPartition) => number) => found.reduce((n, one) => n + pick(one), 0)
  return {
    equal: of((one) => one.equal),
    removed: of((one) => one.removed),
    unknown: of((one) => one.unknown),
    differing: of((one) => one.differing)
  }
}

/** The result in one line: how many records were compared, and how many were not. */
export const headline = (backupId: string, found: ReadonlyArray<AgainstCluster.ComparedPartition>): string => {
  const { differing, equal, removed, unknown } = sums(found)
  const others = [
    ...(removed === 0 ? [] : [`${Quantities.counted(removed, "record")} that Kafka does not have any more`]),
    ...(unknown === 0 ? [] : [`${Quantities.counted(unknown, "record")} that could not be compared`])
  ]
  const more = others.length === 0 ? "" : `; the backup has ${others.join(", and ")}`
  const same = `${Quantities.counted(equal, "record")} of it ${equal === 1 ? "is" : "are"} equal in Kafka`
  if (differing > 0) return `DIFFERENT ${backupId}: ${Quantities.counted(differing, "difference")}; ${same}${more}`
  if (equal > 0) return `OK ${backupId}: ${same}${more}`
  return others.length === 0
    ? `OK ${backupId}: it has no records to compare with Kafka`
    : `NOT COMPARED ${backupId}: no record of it could be compared with Kafka${more}`
}

export const text = (found: ReadonlyArray<AgainstCluster.ComparedPartition>): string =>
  [
    found.length === 0 ? "the backup has no partitions to compare" : Table.format(columns, found.map(row)),
    ...found.flatMap(differences)
  ].join("\n")

/** Fails where something differs, and where nothing could be compared of a backup with records. */
export const assertEqual = Effect.fnUntraced(function* (
  backupId: string,
  found: ReadonlyArray<AgainstCluster.ComparedPartition>
) {
  const others = found.filter(({ differing }) => differing > 0)
  if (others.length > 0) {
    const partitions = others.map(({ partition, topic }) => `${topic}[${partition}]`)
    return yield* new ClusterDiffers({ backupId, partitions })
  }
  const { equal, removed, unknown } = sums(found)
  if (equal === 0 && removed + unknown > 0) {
    return yield* new NothingToCompare({ backupId, records: removed + unknown })
  }
})
