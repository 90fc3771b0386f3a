import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Backend } from "./Backends.ts"
import { measured, type Usage, type Watch } from "./Processes.ts"
import { type BenchTopic, payloadBytes, type Place } from "./Topics.ts"

export type Output = "zstd" | "lz4" | "none"

/** One run of the command line, measured from outside. */
export interface BackupRun extends Usage {
  readonly storedBytes: number
}

const manifest = (place: Place, topic: BenchTopic, output: Output, storage: object) => ({
  apiVersion: "kafka.oso.sh/v1alpha1",
  kind: "KafkaBackup",
  metadata: { name: "bench" },
  spec: {
    kafkaCluster: { bootstrapServers: place.bootstrap.split(",") },
    topics: [topic.name],
    storage,
    compression: output,
    ...(output === "zstd" ? { compressionLevel: 3 } : {})
  }
})

interface Report {
  readonly outcome: string
  readonly totals: { readonly records: number; readonly payloadBytes: number; readonly storedBytes: number }
}

/**
 * Backs the topic up into an empty backend, as a user would: its own process, from start to exit. Throws when the
 * report does not say that every record is there: a wrong run has no speed.
 */
export const run = async (
  command: ReadonlyArray<string>,
  place: Place,
  topic: BenchTopic,
  output: Output,
  folder: string,
  backend: Backend,
  watch?: Watch
): Promise<BackupRun> => {
  const [program = "", ...first] = command
  mkdirSync(folder, { recursive: true })
  await backend.empty()
  const file = join(folder, "backup.yaml")
  const reportFile = join(folder, "report.json")
  writeFileSync(file, JSON.stringify(manifest(place, topic, output, backend.spec)))
  const places = ["--volumes", folder, "--secrets", join(folder, "secrets")]
  const usage = await measured(
    program,
    [...first, "run", "-f", file, ...places, "--report", reportFile],
    backend.env,
    watch
  )
  const { outcome, totals } = JSON.parse(readFileSync(reportFile, "utf8")) as Report
  if (outcome !== "success" || totals.records !== topic.records || totals.payloadBytes !== payloadBytes(topic)) {
    throw new Error(`the run of ${topic.name} is not what it should be: ${JSON.stringify({ outcome, totals })}`)
  }
  const { cpuSeconds, peakBytes, seconds } = usage
  return {
    seconds,
    ...(cpuSeconds === undefined ? {} : { cpuSeconds }),
    ...(peakBytes === undefined ? {} : { peakBytes }),
    storedBytes: totals.storedBytes
  }
}
