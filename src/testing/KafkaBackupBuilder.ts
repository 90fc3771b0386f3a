import * as KafkaBackup from "../resource/KafkaBackup.ts"
import type { KafkaBackupSpec } from "../resource/KafkaBackupSpec.ts"

/** The spec as users write it. */
export type Spec = typeof KafkaBackupSpec.Encoded

/** The parts of a KafkaBackup that matter to a test; the rest is filled in. Fields of the spec are next to the name. */
export interface KafkaBackupOptions extends Partial<Spec> {
  readonly name?: string
  readonly namespace?: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  /** Short for `kafkaCluster: { bootstrapServers }`. */
  readonly bootstrapServers?: ReadonlyArray<string>
}

/** A manifest, as an object. */
export interface KafkaBackupManifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly annotations?: Readonly<Record<string, string>>
    readonly labels?: Readonly<Record<string, string>>
  }
  readonly spec: Spec
}

export const defaultBootstrapServer = "kafka:9092"

/**
 * A KafkaBackup for a test. The defaults are a resource called `backup` that backs up every topic of `kafka:9092` to
 * the bucket `backups`. Nothing is checked here; `apply` checks it.
 */
export const kafkaBackup = ({
  annotations,
  bootstrapServers = [defaultBootstrapServer],
  labels,
  name = "backup",
  namespace,
  ...spec
}: KafkaBackupOptions = {}): KafkaBackupManifest => ({
  apiVersion: KafkaBackup.apiVersion,
  kind: KafkaBackup.kind,
  metadata: {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(labels === undefined ? {} : { labels })
  },
  spec: {
    kafkaCluster: { bootstrapServers },
    topics: ["*"],
    storage: { storageType: "s3", s3: { bucket: "backups", region: "eu-central-1" } },
    ...spec
  }
})
