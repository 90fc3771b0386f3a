import type { BackupId } from "../identity/BackupId.ts"
import { ObjectKey } from "../storage/ObjectStore.ts"

/**
 * Every object key that is written, in one place. The storage root has one folder per set, named by its backup id, and
 * the folder `_kafka-backup` for documents that outlive a set. Readers of a set follow the keys in its manifest and
 * never derive names, since a set may name objects of an earlier set.
 */
const key = (text: string): ObjectKey => ObjectKey.make(text)
const sixDigits = (n: number) => String(n).padStart(6, "0")

/** Folder for documents outside sets; no backup id begins with an underscore. */
export const commonFolder = "_kafka-backup"

/** Its presence is what makes a folder a backup: written last, created only if absent. */
export const manifest = (backupId: BackupId) => key(`${backupId}/manifest.json`)
/** Facts of a set that the open manifest format does not provide for. */
export const facts = (backupId: BackupId) => key(`${backupId}/kb-meta.json`)
/** The facts of a later attempt, whose predecessor wrote facts and died before its manifest. */
export const laterFacts = (backupId: BackupId, attemptNumber: number) =>
  key(`${backupId}/kb-meta-${sixDigits(attemptNumber)}.json`)
/** True for a document with facts, of whichever attempt. */
export const isFacts = (name: string): boolean => /^kb-meta(-\d{6})?\.json$/u.test(name)
/** Committed consumer-group offsets, in the open format. */
export const groups = (backupId: BackupId) => key(`${backupId}/consumer-groups-snapshot.json`)
export const clusterMetadataName = "cluster-metadata.json"
/** ACLs, names of users and quotas: see MetadataDocument.ts. */
export const clusterMetadata = (backupId: BackupId) => key(`${backupId}/${clusterMetadataName}`)
/** The full report of the attempt that completed the set. */
export const report = (backupId: BackupId) => key(`${backupId}/report.json`)
/** Reserves the folder for one run identity, created only if absent. */
export const claim = (backupId: BackupId) => key(`${backupId}/claim.json`)
/** The plan of the run, the same for all its attempts, created only if absent. */
export const plan = (backupId: BackupId) => key(`${backupId}/plan.json`)
export const attemptFolder = (backupId: BackupId) => `${backupId}/attempts/`
/** One for each attempt of the run, counting from 1, created only if absent. */
export const attempt = (backupId: BackupId, n: number) => key(`${attemptFolder(backupId)}${sixDigits(n)}.json`)
export const checkpointFolder = (backupId: BackupId) => `${backupId}/checkpoint/`
/** Everything durable since the attempt's last checkpoint, created only if absent. */
export const checkpoint = (backupId: BackupId, attemptNumber: number, sequence: number) =>
  key(`${checkpointFolder(backupId)}${sixDigits(attemptNumber)}-${sixDigits(sequence)}.json`)
export const shardFolder = (backupId: BackupId) => `${backupId}/shards/`
/** Says that the shard of this attempt is at its ends, created only if absent: see ShardEnds.ts. */
export const shardEnd = (backupId: BackupId, attemptNumber: number) =>
  key(`${shardFolder(backupId)}${sixDigits(attemptNumber)}.json`)
export const damageFolder = (backupId: BackupId) => `${backupId}/damage/`
/** What is known to be damaged of a complete set, created only if absent; the highest number counts: see Damage.ts. */
export const damage = (backupId: BackupId, n: number) => key(`${damageFolder(backupId)}${sixDigits(n)}.json`)
/** True for the name of such a document within a set's folder. */
export const isDamage = (name: string): boolean => /^damage\/\d{6,}\.json$/u.test(name)
export const topicsFolder = (backupId: string) => `${backupId}/topics/`
/** Says that retention is removing the set, which is no backup from then on. */
export const tombstone = (backupId: BackupId) => key(`${backupId}/tombstone.json`)
/** In the folder of a removed set of which objects stay, because other sets name them: see RetiredFolder.ts. */
export const retired = (backupId: BackupId) => key(`${backupId}/retired.json`)

/** One segment. With the attempt in the name, segments of two attempts that begin at the same offset never collide. */
export const segment = (
  backupId: BackupId,
  topic: string,
  partition: number,
  firstOffset: number,
  attemptNumber: number,
  suffix: string
) =>
  key(
    `${topicsFolder(backupId)}${topic}/partition=${partition}/segment-${String(firstOffset).padStart(20, "0")}-${sixDigits(attemptNumber)}${suffix}`
  )

/** A segment that was made of several: its name is none that an attempt gives to what it reads. */
export const joinedSegment = (
  backupId: BackupId,
  topic: string,
  partition: number,
  firstOffset: number,
  attemptNumber: number,
  suffix: string
) => segment(backupId, topic, partition, firstOffset, attemptNumber, `.joined${suffix}`)

export const runRecordFolder = (ownerKey: string) => `${commonFolder}/runs/${ownerKey}/`
/** Keeps the backup id of a run identity, even after its Job, its status and its set are gone. */
export const runRecord = (ownerKey: string, identityDigest: string) =>
  key(`${runRecordFolder(ownerKey)}${identityDigest}.json`)
/** What retention must know of every set of the owner: copies, see SetIndex.ts; the highest number counts. */
export const indexFolder = (ownerKey: string) => `${commonFolder}/index/${ownerKey}/`
export const index = (ownerKey: string, n: number) => key(`${indexFolder(ownerKey)}${String(n).padStart(12, "0")}.json`)
/** When each stored object of the owner's sets was last read: see Ledger.ts; the highest number counts. */
export const verifiedFolder = (ownerKey: string) => `${commonFolder}/verified/${ownerKey}/`
export const verified = (ownerKey: string, n: number) =>
  key(`${verifiedFolder(ownerKey)}${String(n).padStart(12, "0")}.bin`)
/** The number in the key of such a document, undefined for a foreign file. */
export const verifiedNumber = (objectKey: string): number | undefined => {
  const found = /\/(\d+)\.bin$/.exec(objectKey)
  return found ? Number(found[1]) : undefined
}
/** Epochs of the owner's lock; the highest epoch holds the lock unless it has expired. */
export const lockFolder = (ownerKey: string) => `${commonFolder}/locks/${ownerKey}/`
export const lockEpoch = (ownerKey: string, epoch: number) =>
  key(`${lockFolder(ownerKey)}${String(epoch).padStart(12, "0")}.json`)

export const pinFolder = `${commonFolder}/pins/`
/** Its presence says that the backup stays, whatever retention says. */
export const pin = (backupId: BackupId) => key(`${pinFolder}${backupId}.json`)
/** The id in the key of a pin; undefined for a foreign file. */
export const pinned = (objectKey: string): string | undefined =>
  objectKey.startsWith(pinFolder)
    ? /^([A-Za-z0-9][A-Za-z0-9._-]*)\.json$/u.exec(objectKey.slice(pinFolder.length))?.[1]
    : undefined

export const readersFolder = `${commonFolder}/readers/`
/** Says that a restore or a drill reads a set: see Readers.ts. */
export const reader = (unique: string) => key(`${readersFolder}${unique}.json`)

/** Offsets of consumer groups, stored before they are changed. They belong to no backup and are never removed. */
export const offsetSnapshot = (snapshotId: string) => key(`${commonFolder}/offset-snapshots/${snapshotId}.json`)

export const failedFolder = `${commonFolder}/failed/`
/** The reports of the owner's runs without a set, ascending by slot: see FailedRuns.ts. */
export const failedOf = (ownerKey: string) => `${failedFolder}${ownerKey}/`
/** The last one of a run, or of one of its shards. */
export const failed = (ownerKey: string, slotMillis: number, identityDigest: string, shard: number | undefined) =>
  key(
    `${failedOf(ownerKey)}${compactTime(slotMillis)}-${identityDigest}${shard === undefined ? "" : `-${sixDigits(shard)}`}.json`
  )
/** `20261123T120000`, UTC. */
const compactTime = (millis: number): string => new Date(millis).toISOString().replaceAll(/[-:]|[.]\d+Z$/gu, "")

export const preflightFolder = `${commonFolder}/preflight/`
/** Test objects of one owner. */
export const preflightOf = (ownerKey: string) => `${preflightFolder}${ownerKey}/`
/** A test object, written and removed before a run to check what the store allows. */
export const preflight = (ownerKey: string, unique: string) => key(`${preflightOf(ownerKey)}${unique}`)

/** The number in the last path segment of an attempt or lock key, undefined for a foreign file. */
export const trailingNumber = (objectKey: string): number | undefined => {
  const found = /\/(\d+)\.json$/.exec(objectKey)
  return found ? Number(found[1]) : undefined
}
