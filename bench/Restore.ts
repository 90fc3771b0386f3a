import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Backends from "./Backends.ts"
import * as Backup from "./Backup.ts"
import { measured, type Usage } from "./Processes.ts"
import { type BenchTopic, type Place, remove, type Source } from "./Topics.ts"

/** Codec of the batches that a restore writes. */
type Codec = "none" | "lz4" | "zstd"

export interface Row {
  readonly name: string
  /** Codec of the producer of the reference topic. */
  readonly source: Source
  readonly format: Backup.Format
  /** Absent: the restore is told nothing, and keeps batches as they are where the backup has them. */
  readonly codec?: Codec
}

/** The same backup of records as each codec; and of topics that were compressed by their producers, both formats. */
export const rows: ReadonlyArray<Row> = [
  ...(["none", "lz4", "zstd"] as const).map((codec): Row => ({
    name: `1 KiB none, records as ${codec}`,
    source: "none",
    format: "records",
    codec
  })),
  ...(["zstd", "lz4", "none"] as const).flatMap((source): ReadonlyArray<Row> => [
    ...(source === "none"
      ? []
      : [{ name: `1 KiB ${source}, records as ${source}`, source, format: "records" as const, codec: source }]),
    { name: `1 KiB ${source}, batches as they are`, source, format: "batches" }
  ])
]

const target = "bench-restored"

/** `restore` counts as the same one as long as its resource has the name: each measured run is one of its own. */
let restores = 0

const manifest = (place: Place, topic: BenchTopic, backupId: string, codec: Codec | undefined, storage: object) => ({
  apiVersion: "kafka.oso.sh/v1alpha1",
  kind: "KafkaRestore",
  metadata: { name: `bench-${process.pid}-${++restores}` },
  spec: {
    backupId,
    targetCluster: { bootstrapServers: place.bootstrap.split(",") },
    storage,
    topicMapping: { [topic.name]: target },
    ...(codec === undefined ? {} : { compression: codec })
  }
})

interface Result {
  readonly records: number
}

/** A backup that is there to be restored. */
export interface Prepared {
  readonly backend: Backends.Backend
  readonly backupId: string
}

/** Backs the topic up once, to be restored by `run`. Gives the backup's id. */
export const prepare = async (
  command: ReadonlyArray<string>,
  place: Place,
  topic: BenchTopic,
  format: Backup.Format,
  folder: string
): Promise<Prepared> => {
  const backend = await Backends.open("directory", {}, folder)
  if (backend === undefined) throw new Error("a directory can always be had")
  await Backup.run(command, place, topic, { output: "zstd", format }, folder, backend)
  const { backupId } = JSON.parse(readFileSync(join(folder, "report.json"), "utf8")) as { readonly backupId: string }
  return { backend, backupId }
}

/**
 * Restores the backup to a topic that does not exist, as a user would: its own process, from start to exit, reading
 * back and comparing included. Throws when it does not say that every record was found.
 */
export const run = async (
  command: ReadonlyArray<string>,
  place: Place,
  topic: BenchTopic,
  backup: Prepared,
  codec: Codec | undefined,
  folder: string
): Promise<Usage> => {
  const [program = "", ...first] = command
  await remove(place, target)
  const file = join(folder, "restore.yaml")
  writeFileSync(file, JSON.stringify(manifest(place, topic, backup.backupId, codec, backup.backend.spec)))
  const places = ["--volumes", folder, "--secrets", join(folder, "secrets")]
  const { output, ...usage } = await measured(program, [...first, "restore", "-f", file, ...places, "-o", "json"])
  const { records } = JSON.parse(output) as Result
  await remove(place, target)
  if (records !== topic.records) throw new Error(`${records} of ${topic.records} records were restored`)
  return usage
}
