import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Backends from "./Backends.ts"
import * as Backup from "./Backup.ts"
import { measured, type Usage } from "./Processes.ts"
import { type BenchTopic, type Place, remove } from "./Topics.ts"

/** Codec of the batches that a restore writes. */
export const codecs = ["none", "lz4", "zstd"] as const
export type Codec = (typeof codecs)[number]

const target = "bench-restored"

/** `restore` counts as the same one as long as its resource has the name: each measured run is one of its own. */
let restores = 0

const manifest = (place: Place, topic: BenchTopic, backupId: string, codec: Codec, storage: object) => ({
  apiVersion: "kafka.oso.sh/v1alpha1",
  kind: "KafkaRestore",
  metadata: { name: `bench-${process.pid}-${++restores}` },
  spec: {
    backupId,
    targetCluster: { bootstrapServers: place.bootstrap.split(",") },
    storage,
    topicMapping: { [topic.name]: target },
    compression: codec
  }
})

interface Result {
  readonly records: number
}

/** Backs the topic up once, to be restored by `run`. Gives the backup's id. */
export const prepare = async (
  command: ReadonlyArray<string>,
  place: Place,
  topic: BenchTopic,
  folder: string
): Promise<{ readonly backend: Backends.Backend; readonly backupId: string }> => {
  const backend = await Backends.open("directory", {}, folder)
  if (backend === undefined) throw new Error("a directory can always be had")
  await Backup.run(command, place, topic, { output: "zstd", format: "records" }, folder, backend)
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
  backup: Awaited<ReturnType<typeof prepare>>,
  codec: Codec,
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
