import { ObjectKey } from "../storage/ObjectStore.ts"

/**
 * Every object key we write, in one place. Below the storage root stands one folder per set, named by its backup id,
 * and one folder of ours, `_kafka-backup`, for what outlives a set. Readers of a set follow the keys in its manifest
 * and never derive names: a later set may name objects of an earlier one.
 */
const key = (text: string): ObjectKey => ObjectKey.make(text)
const sixDigits = (n: number) => String(n).padStart(6, "0")

/** Folder for what is not part of one set; no backup id begins with an underscore. */
export const commonFolder = "_kafka-backup"

/** Its presence is what makes a folder a backup: written last, created only if absent. */
export const manifest = (backupId: string) => key(`${backupId}/manifest.json`)
/** Our own facts of a set, which the open manifest format has no place for. */
export const facts = (backupId: string) => key(`${backupId}/kb-meta.json`)
/** Committed consumer-group offsets, in the open format. */
export const groups = (backupId: string) => key(`${backupId}/consumer-groups-snapshot.json`)
/** The full report of the attempt that completed the set. */
export const report = (backupId: string) => key(`${backupId}/report.json`)
/** Reserves the folder for one run identity, created only if absent. */
export const claim = (backupId: string) => key(`${backupId}/claim.json`)
/** What the run reads, the same for all its attempts, created only if absent. */
export const plan = (backupId: string) => key(`${backupId}/plan.json`)
export const attemptFolder = (backupId: string) => `${backupId}/attempts/`
/** One per pod or process that worked at the run, counting from 1, created only if absent. */
export const attempt = (backupId: string, n: number) => key(`${attemptFolder(backupId)}${sixDigits(n)}.json`)
export const checkpointFolder = (backupId: string) => `${backupId}/checkpoint/`
/** What became durable since the attempt's last checkpoint, created only if absent. */
export const checkpoint = (backupId: string, attemptNumber: number, sequence: number) =>
  key(`${checkpointFolder(backupId)}${sixDigits(attemptNumber)}-${sixDigits(sequence)}.json`)
export const topicsFolder = (backupId: string) => `${backupId}/topics/`
/** Says that retention is removing the set: from then on it is no backup any more. */
export const tombstone = (backupId: string) => key(`${backupId}/tombstone.json`)

/** One segment. The attempt keeps a killed pod's orphan, a zombie and its successor apart: equal starts, different ends. */
export const segment = (
  backupId: string,
  topic: string,
  partition: number,
  firstOffset: number,
  attemptNumber: number,
  suffix: string
) =>
  key(
    `${topicsFolder(backupId)}${topic}/partition=${partition}/segment-${String(firstOffset).padStart(20, "0")}-${sixDigits(attemptNumber)}${suffix}`
  )

export const runRecordFolder = (ownerKey: string) => `${commonFolder}/runs/${ownerKey}/`
/** Remembers which backup id a run identity got, after its Job, its status and even its set are gone. */
export const runRecord = (ownerKey: string, identityDigest: string) =>
  key(`${runRecordFolder(ownerKey)}${identityDigest}.json`)
/** Epochs of the owner's lock; the highest one that has not expired holds it. */
export const lockFolder = (ownerKey: string) => `${commonFolder}/locks/${ownerKey}/`
export const lockEpoch = (ownerKey: string, epoch: number) =>
  key(`${lockFolder(ownerKey)}${String(epoch).padStart(12, "0")}.json`)

export const preflightFolder = `${commonFolder}/preflight/`
/** Tried and removed before a run, to learn what the store allows. */
export const preflight = (unique: string) => key(`${preflightFolder}${unique}`)

/** The number in the last path segment of an attempt or lock key, undefined for a foreign file. */
export const trailingNumber = (objectKey: string): number | undefined => {
  const found = /\/(\d+)\.json$/.exec(objectKey)
  return found ? Number(found[1]) : undefined
}
