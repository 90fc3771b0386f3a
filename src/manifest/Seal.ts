import { createHash } from "node:crypto"
import { Effect, Result, Schema, Stream } from "effect"
import * as KeyRules from "../storage/KeyRules.ts"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import { isReason } from "../storage/ObjectStoreError.ts"
import * as BackupKeys from "./BackupKeys.ts"
import type { BackupSet } from "./Catalogue.ts"
import type { Manifest } from "./Manifest.ts"
import * as ManifestFile from "./ManifestFile.ts"
import * as SealedJson from "./SealedJson.ts"

/*
 * What binds the documents of a backup together. The manifest, written last, names every other document with its
 * SHA-256; the facts hold the SHA-256 of the manifest without that list. So nothing in either, and nothing of what they
 * name, can be changed, taken away or exchanged unnoticed.
 */

/** SHA-256 in hexadecimal. */
export const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex")

/** How a manifest is written: compact, since it names tens of thousands of segments. */
export const manifestText = (manifest: Manifest): string => `${JSON.stringify(manifest)}\n`

/**
 * The fingerprint of a manifest that the facts hold: that of its text without the list of documents. See
 * `ManifestFile.Read` for that of one that was read.
 */
export const manifestSha256 = (manifest: Manifest): string => {
  const { kb_documents: _documents, ...rest } = manifest
  return sha256(manifestText(rest))
}

/** One document or object of a backup that is not as it was committed. */
export interface Broken {
  readonly key: string
  readonly detail: string
}

const ifThere = (store: ObjectStoreShape, key: ObjectKey) =>
  store.get(key).pipe(
    Effect.map((bytes): Uint8Array | undefined => bytes),
    Effect.catchIf(isReason("ObjectNotFound"), () => Effect.succeed(undefined))
  )

/**
 * Names that killed attempts and interrupted clean-ups leave behind; they are no part of the backup and do it no harm.
 */
export const isLeftover = (name: string): boolean =>
  /^(kb-meta(-\d{6})?\.json|(attempts|shards)\/\d{6}\.json|checkpoint\/\d{6}-\d{6}\.json|topics\/[^/]+\/partition=\d+\/segment-\d{20}-\d{6}[.\w]*)$/u.test(
    name
  )

/** What is wrong with the manifest's own text, compared with the facts. */
export const manifestProblems = Effect.fnUntraced(function* (store: ObjectStoreShape, set: BackupSet) {
  const { backupId, facts, manifest } = set
  const key = BackupKeys.manifest(backupId)
  const broken = (detail: string): ReadonlyArray<Broken> => [{ key, detail }]
  const documents = manifest.kb_documents
  if (facts === undefined) {
    const isOurs = documents !== undefined || (yield* ifThere(store, BackupKeys.claim(backupId))) !== undefined
    return isOurs ? [{ key: BackupKeys.facts(backupId), detail: "is not there" }] : []
  }
  // Backups of version 0.1 have no seal: their documents are checked one by one only.
  if (facts.manifestSha256 === undefined) return []
  if (documents === undefined) return broken("lacks the list of its documents: another program rewrote it")
  const { sealedSha256 } = "sealedSha256" in set ? set : yield* ManifestFile.read(store, key)
  return sealedSha256 === facts.manifestSha256 ? [] : broken("is not the one that was committed: it was changed")
})

/** Every document that the manifest names, byte for byte. */
const ofDocuments = (store: ObjectStoreShape, { backupId, manifest }: BackupSet) =>
  Effect.map(
    Effect.forEach(
      Object.entries(manifest.kb_documents ?? {}),
      ([name, expected]) => {
        const key = ObjectKey.make(`${backupId}/${name}`)
        const refused = KeyRules.refusal(key)
        if (refused !== undefined) return Effect.succeed([{ key, detail: `can be no object: ${refused}` }])
        return Effect.map(ifThere(store, key), (bytes): ReadonlyArray<Broken> => {
          if (bytes === undefined) return [{ key, detail: "is not there" }]
          return sha256(bytes) === expected ? [] : [{ key, detail: "is not as it was committed" }]
        })
      },
      { concurrency: 8 }
    ),
    (found) => found.flat()
  )

/** What lies in the folder and belongs there: what does not is named. */
const ofFolder = Effect.fnUntraced(function* (store: ObjectStoreShape, { backupId, manifest }: BackupSet) {
  if (manifest.kb_documents === undefined) return { strangers: [], leftovers: [] }
  const known = new Set([
    BackupKeys.manifest(backupId),
    BackupKeys.report(backupId),
    ...Object.keys(manifest.kb_documents).map((name) => `${backupId}/${name}`),
    ...manifest.topics.flatMap(({ partitions }) => partitions.flatMap(({ segments }) => segments.map(({ key }) => key)))
  ])
  const others = yield* store.list(`${backupId}/`).pipe(
    Stream.map(({ key }) => key),
    Stream.filter((key) => !known.has(key)),
    Stream.runCollect
  )
  const name = (key: string) => key.slice(backupId.length + 1)
  return {
    leftovers: others.filter((key) => isLeftover(name(key))),
    strangers: others.filter((key) => !isLeftover(name(key)) && !BackupKeys.isDamage(name(key)))
  }
})

/** Any report: its id and whatever else it holds. */
const Report = Schema.Record(Schema.String, Schema.Json)

/** The report that lies beside a backup, where there is one. */
const ofReport = Effect.fnUntraced(function* (store: ObjectStoreShape, { backupId, manifest }: BackupSet) {
  if (manifest.kb_documents === undefined) return []
  const key = BackupKeys.report(backupId)
  const bytes = yield* ifThere(store, key)
  if (bytes === undefined) return []
  const opened = SealedJson.open(Report, bytes)
  if (Result.isFailure(opened)) return [{ key, detail: opened.failure.message }]
  const isExact = Buffer.compare(SealedJson.seal(Report, opened.success), bytes) === 0
  return isExact && opened.success["backupId"] === backupId ? [] : [{ key, detail: "is not the report of this backup" }]
})

/** What a look at all documents of a backup found. */
export interface Inspection {
  readonly broken: ReadonlyArray<Broken>
  /** The manifest is the one that was committed, as far as its facts tell. */
  readonly isManifestSound: boolean
  /** Objects of killed attempts: harmless, and removed with the backup. */
  readonly leftovers: ReadonlyArray<string>
}

/**
 * Checks every document of a backup against the seal, and that nothing strange lies in its folder. Segments are not
 * read. Of another tool's backup, which has no seal, there is nothing to check.
 */
export const inspect = Effect.fn("Seal.inspect")(function* (store: ObjectStoreShape, set: BackupSet) {
  const { leftovers, strangers } = yield* ofFolder(store, set)
  const ofManifest = yield* manifestProblems(store, set)
  return {
    broken: [
      ...ofManifest,
      ...(yield* ofDocuments(store, set)),
      ...(yield* ofReport(store, set)),
      ...strangers.map((key) => ({ key, detail: "does not belong to the backup" }))
    ],
    isManifestSound: ofManifest.length === 0,
    leftovers
  } satisfies Inspection
})
