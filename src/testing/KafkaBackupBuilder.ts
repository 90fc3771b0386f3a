import * as KafkaBackup from "../resource/KafkaBackup.ts"
import type { KafkaBackupSpec } from "../resource/KafkaBackupSpec.ts"

/** The spec as users write it. */
export type Spec = typeof KafkaBackupSpec.Encoded

/** What a test says of its KafkaBackup; everything else is filled in. Fields of the spec stand beside the name. */
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
 * A KafkaBackup for a test: what is not said is a resource called `backup` that keeps every topic of `kafka:9092` in the bucket
 * `backups`. Nothing is checked here: `apply` does.
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
