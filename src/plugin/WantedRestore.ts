import { Result } from "effect"
import type { KubeObject } from "../kubernetes/Objects.ts"
import * as KafkaBackup from "../resource/KafkaBackup.ts"
import * as KafkaRestore from "../resource/KafkaRestore.ts"
import { given } from "../resource/Json.ts"
import * as ManifestParser from "../resource/ManifestParser.ts"
import { ManifestUnusable } from "./Problems.ts"

/** The KafkaRestore that a user asks for. Pure. */

type Fields = Readonly<Record<string, unknown>>

/** A KafkaRestore as it is sent. */
export interface Wanted extends KubeObject {
  readonly spec: Fields
}

const isMap = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value)

/** From a manifest: as it was written, after it was found good. */
export const ofManifest = (text: string, file: string): Result.Result<Wanted, ManifestUnusable> =>
  Result.flatMap(ManifestParser.document(text, KafkaRestore.kind), (document) =>
    Result.map(KafkaRestore.fromJson(document), () => document as unknown as Wanted)
  ).pipe(
    Result.mapError(
      ({ message }) =>
        new ManifestUnusable({
          detail: `${file} cannot be used:\n${message}`,
          advice: "correct the manifest: docs/guides/restore.md describes every field"
        })
    )
  )

export interface Choice {
  /** Absent: the newest. */
  readonly backupId: string | undefined
  /** Absent: all. */
  readonly topics: ReadonlyArray<string>
  readonly name: string
}

/** Of a backup of this KafkaBackup: from its storage, into its cluster, with its pod. */
export const ofBackup = ({ metadata, spec }: KubeObject, { backupId, name, topics }: Choice): Wanted => {
  const { kafkaCluster, podTemplate, storage } = isMap(spec) ? spec : {}
  return {
    apiVersion: KafkaBackup.apiVersion,
    kind: KafkaRestore.kind,
    metadata: { name, namespace: metadata.namespace },
    spec: given({
      ...(backupId === undefined ? { backupRef: { name: metadata.name } } : { backupId, storage }),
      targetCluster: kafkaCluster,
      podTemplate,
      topics: topics.length === 0 ? undefined : topics
    })
  }
}

/** It checks everything, and writes nothing. */
export const dry = (wanted: Wanted): Wanted => ({ ...wanted, spec: { ...wanted.spec, dryRun: true } })

/** True for a restore that writes nothing: it may become one that does. */
export const isDry = ({ spec }: KubeObject): boolean => isMap(spec) && spec["dryRun"] === true

/** The patch that makes the restore of this name what is wanted now. */
export const over = ({ spec }: Wanted): Fields => ({ spec: { dryRun: false, ...spec } })

const twoDigits = (n: number) => String(n).padStart(2, "0")

/** `shop-restore-20260301-020000`. */
export const nameOf = (backup: string, nowMillis: number): string => {
  const t = new Date(nowMillis)
  const day = `${t.getUTCFullYear()}${twoDigits(t.getUTCMonth() + 1)}${twoDigits(t.getUTCDate())}`
  const time = `${twoDigits(t.getUTCHours())}${twoDigits(t.getUTCMinutes())}${twoDigits(t.getUTCSeconds())}`
  return `${backup}-restore-${day}-${time}`
}
