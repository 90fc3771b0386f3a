import { Schema } from "effect"
import type { Job } from "../kubernetes/Objects.ts"
import { given } from "../resource/Json.ts"
import { KafkaBackup } from "../resource/KafkaBackup.ts"
import * as StorageSpec from "../resource/StorageSpec.ts"
import * as Format from "../status/Format.ts"
import * as SecretKeys from "./jobs/SecretKeys.ts"

/*
 * How a person finishes a clean-up that was given up: one command each, which works as it is printed. The resource, and
 * with it the status, is gone by then, so the command stands in an Event and in the operator's log.
 */

/** Resumes the clean-up Job that was left behind. */
export const resuming = ({ metadata: { name, namespace } }: Job): string =>
  `kubectl --namespace ${namespace ?? "default"} patch job ${name} --type merge --patch '{"spec":{"suspend":false}}'`

const encode = Schema.encodeSync(KafkaBackup)

/**
 * The same by hand, for a namespace that takes no more Jobs: `kafka-backup prune` with a manifest of its own, which has
 * what a removal uses. Credentials are read from files.
 */
export const pruning = (backup: KafkaBackup): string => {
  const { metadata, spec } = backup
  const { storageType } = StorageSpec.chosen(spec.storage)
  const encoded = encode(backup)
  const { creationTimestamp, name, namespace, uid } = metadata
  const manifest = JSON.stringify({
    apiVersion: encoded.apiVersion,
    kind: encoded.kind,
    metadata: given({ name, namespace, uid, creationTimestamp }),
    spec: given({
      kafkaCluster: given({
        bootstrapServers: spec.kafkaCluster.bootstrapServers?.slice(0, 1),
        strimziRef: spec.kafkaCluster.strimziRef
      }),
      topics: ["*"],
      sourceClusterId: spec.sourceClusterId,
      storage: { storageType, [storageType]: encoded.spec.storage[storageType] }
    })
  })
  const options = [
    ...(SecretKeys.ofStorage(spec).length === 0 ? [] : ["--secrets ./secrets"]),
    ...(storageType === "pvc" ? ["--volumes ./volumes"] : [])
  ]
  return `echo ${quoted(manifest)} | kafka-backup prune --all --confirm ${name} -f - ${options.join(" ")}`.trimEnd()
}

/** One word of a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

/** What an Event has room for, in bytes. */
const roomBytes = 1024

/** The last words about a clean-up that was given up: what failed, and the command that finishes it. */
export const sentence = (why: string, command: string): string => {
  const end = `The clean-up is given up and the stored backups are kept. To remove them, run: ${command}`
  const left = roomBytes - Format.byteLength(end) - 1
  return left < 40 ? end : `${Format.cut(why, left)} ${end}`
}
