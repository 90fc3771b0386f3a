import { type ChildProcess, spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import type { S3Store } from "../../scripts/services/ObjectStores.ts"
import { RecordDigest } from "../harness/RecordDigest.ts"

/** The product as its users have it: the real process, files, exit codes. */

const root = fileURLToPath(new URL("../..", import.meta.url))

/** `KBO_MAIN=dist/kafka-backup.mjs`: what `npm run build` has made, which starts in a fifth of the CPU time. */
const main = join(root, process.env["KBO_MAIN"] ?? "src/main.ts")

/** Types are stripped and modules compiled once, not at each start, as `bin/kafka-backup.mjs` does it. */
const compiled = { NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "kafka-backup") }

export interface Ended {
  /** Exit code; undefined when a signal ended it. */
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
}

/** Starts `kafka-backup` with these arguments. */
export const start = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}): Started => {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...compiled, ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let stdout = ""
  let stderr = ""
  child.stdout.on("data", (text: Buffer) => (stdout += text.toString()))
  child.stderr.on("data", (text: Buffer) => (stderr += text.toString()))
  const ended = new Promise<Ended>((resolve) =>
    child.on("close", (code) => resolve({ code: code ?? undefined, stdout, stderr }))
  )
  return { process: child, ended }
}

export const kafkaBackup = (...args: ReadonlyArray<string>): Promise<Ended> => start(args).ended

/** Fails with everything the process said when it did not end well. */
export const succeed = async (...args: ReadonlyArray<string>): Promise<Ended> => {
  const ended = await kafkaBackup(...args)
  if (ended.code !== 0)
    throw new Error(
      `kafka-backup ${args.join(" ")} ended with ${ended.code}\n${ended.stderr}\n${ended.stdout.slice(-2000)}`
    )
  return ended
}

/** The report that `run` prints last. */
export const reportOf = (ended: Ended) => JSON.parse(ended.stdout.trim().split("\n").at(-1) ?? "{}")

/** A folder with a manifest, Secrets and volumes, gone with `dispose`. */
export class Workspace {
  readonly folder = mkdtempSync(join(tmpdir(), "kafka-backup-e2e-"))
  readonly volumes = join(this.folder, "volumes")
  readonly secrets = join(this.folder, "secrets")
  readonly places = ["--volumes", this.volumes, "--secrets", this.secrets]

  constructor() {
    mkdirSync(join(this.volumes, "backups"), { recursive: true })
    mkdirSync(this.secrets)
  }

  secret(name: string, values: Readonly<Record<string, string>>): void {
    mkdirSync(join(this.secrets, name), { recursive: true })
    for (const [key, value] of Object.entries(values)) writeFileSync(join(this.secrets, name, key), value)
  }

  /** Writes a manifest and gives the arguments that name it. JSON is YAML. */
  manifest(
    name: string,
    spec: object,
    kind: "KafkaBackup" | "KafkaRestore" | "KafkaOffsetReset" | "KafkaOffsetRollback" = "KafkaBackup"
  ): ReadonlyArray<string> {
    const file = join(this.folder, `${name}.yaml`)
    const resource = { apiVersion: "kafka.oso.sh/v1alpha1", kind, metadata: { name }, spec }
    writeFileSync(file, JSON.stringify(resource, null, 2))
    return ["-f", file, ...this.places]
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export const onVolume = { storageType: "pvc", pvc: { claimName: "backups" } } as const

export const onS3 = (store: S3Store, bucket: string, prefix: string) =>
  ({
    storageType: "s3",
    s3: {
      bucket,
      region: store.region,
      prefix,
      endpoint: store.endpoint,
      credentialsSecret: { name: "s3-credentials" }
    }
  }) as const

/** A record as `export` prints it. */
interface ExportedField {
  readonly [name: string]: unknown
}

const bytes = (record: ExportedField, name: string): Buffer | null => {
  const encoded = record[`${name}Base64`]
  if (typeof encoded === "string") return Buffer.from(encoded, "base64")
  const text = record[name]
  return typeof text === "string" ? Buffer.from(text) : null
}

export interface ExportedPartition {
  readonly partition: number
  readonly records: number
  readonly sha256: string
  readonly offsets: ReadonlyArray<number>
}

/** A record as `export` printed it. */
export interface ExportedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: ReadonlyArray<readonly [Buffer, Buffer | null]>
}

/** Everything that `export` prints with these arguments. */
export async function* exported(...args: ReadonlyArray<string>): AsyncGenerator<ExportedRecord> {
  const child = spawn(process.execPath, [main, "export", ...args], {
    env: { ...compiled, ...process.env },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let stderr = ""
  child.stderr.on("data", (text: Buffer) => (stderr += text.toString()))
  const code = new Promise<number | null>((resolve) => child.on("close", resolve))
  for await (const line of createInterface({ input: child.stdout, crlfDelay: Infinity })) {
    const record = JSON.parse(line) as {
      readonly topic: string
      readonly partition: number
      readonly offset: number
      readonly timestamp: number
      readonly headers: ReadonlyArray<ExportedField>
    } & ExportedField
    yield {
      topic: record.topic,
      partition: record.partition,
      offset: record.offset,
      timestamp: record.timestamp,
      key: bytes(record, "key"),
      value: bytes(record, "value"),
      headers: record.headers.map(
        (header) => [bytes(header, "key") ?? Buffer.alloc(0), bytes(header, "value")] as const
      )
    }
  }
  if ((await code) !== 0) throw new Error(`export ended with ${await code}\n${stderr}`)
}

/** Everything `export` gives of a topic, digested by partition as the independent Java consumer does it. */
export const exportTopic = async (
  places: ReadonlyArray<string>,
  backupId: string,
  topic: string
): Promise<ReadonlyArray<ExportedPartition>> => {
  const digests = new Map<number, { readonly digest: RecordDigest; readonly offsets: Array<number> }>()
  for await (const record of exported(...places, backupId, "--topic", topic)) {
    let held = digests.get(record.partition)
    if (held === undefined) digests.set(record.partition, (held = { digest: new RecordDigest(), offsets: [] }))
    held.offsets.push(record.offset)
    held.digest.add(record)
  }
  return [...digests]
    .toSorted(([a], [b]) => a - b)
    .map(([partition, { digest, offsets }]) => ({ partition, records: digest.records, sha256: digest.hex(), offsets }))
}
