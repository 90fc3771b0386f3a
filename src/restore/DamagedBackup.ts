import { Effect } from "effect"
import type { BackupSet } from "../manifest/Catalogue.ts"
import { type DamagedObject, read as readRecorded } from "../manifest/Damage.ts"
import * as Verification from "../manifest/Verification.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Cut from "./Cut.ts"
import * as DamagedMetadata from "./DamagedMetadata.ts"
import { type Objection, objection } from "./Objection.ts"
import { isSelected } from "./RestorePlan.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"
import type { TargetTopic } from "./TargetTopic.ts"

/* What is damaged of a backup. Topics and partitions that are whole can be restored without the others. */

export interface Damage {
  /** Of what is to be restored, and of the documents of the backup. */
  readonly objections: ReadonlyArray<Objection>
  /** Of what is left out, for people. */
  readonly notes: ReadonlyArray<string>
  /** The same, place by place. */
  readonly elsewhere: ReadonlyArray<Verification.Problem>
  /** The document of ACLs and quotas is damaged. */
  readonly isMetadataDamaged: boolean
}

const another = "restore another backup"
const repair = "make a new backup now, if Kafka still has the records: an incremental one often repairs this one, too"
const whole = "kafka-backup verify --deep names everything that is damaged"

const leftOut = ({ partition, topic }: Verification.Problem): string =>
  `${repair}; else ${another}, or leave out what is damaged: topic ${topic} with excludeTopics, or partition ${partition} of it with sourcePartitions. ${whole}`

/** Most places that the note names. */
const mostNamed = 5

const note = (backupId: string, elsewhere: ReadonlyArray<Verification.Problem>): ReadonlyArray<string> => {
  const places = [...new Set(elsewhere.map(({ partition, topic }) => `${topic}[${partition}]`))]
  if (places.length === 0) return []
  const others = places.length > mostNamed ? ` and ${places.length - mostNamed} more` : ""
  const named = `${places.slice(0, mostNamed).join(", ")}${others}`
  return [`backup ${backupId} is damaged in partitions that are not restored: ${named}. ${whole}`]
}

/** Splits what a verification found by what the request selects. Pure. */
export const of = (
  { backupId, broken, problems }: Pick<Verification.Verification, "backupId" | "broken" | "problems">,
  request: RestoreRequest
): Damage => {
  const concerns = ({ partition, topic }: Verification.Problem) => isSelected(request, topic, partition)
  const damaged = (key: string, detail: string) => `backup ${backupId} is damaged: ${key} ${detail}`
  const elsewhere = problems.filter((problem) => !concerns(problem))
  const metadata = broken.find((one) => DamagedMetadata.isOf(backupId, one))
  const isNeeded = DamagedMetadata.isNeeded(request)
  return {
    objections: [
      ...problems
        .filter(concerns)
        .map((problem) => objection("BackupDamaged", damaged(problem.key, problem.detail), leftOut(problem))),
      ...broken
        .filter((one) => one !== metadata)
        .map(({ detail, key }) => objection("BackupDamaged", damaged(key, detail), `${another}. ${whole}`)),
      ...(metadata === undefined || !isNeeded
        ? []
        : [DamagedMetadata.refused(backupId, `${metadata.key} ${metadata.detail}`)])
    ],
    notes: [
      ...note(backupId, elsewhere),
      ...(metadata === undefined || isNeeded ? [] : [DamagedMetadata.note(backupId, metadata)])
    ],
    elsewhere,
    isMetadataDamaged: metadata !== undefined
  }
}

/** A topic that is deleted loses all of its partitions, so the backup must have even those that are left out. Pure. */
export const ofRecreated = (
  backupId: string,
  elsewhere: Damage["elsewhere"],
  targets: ReadonlyArray<TargetTopic>
): ReadonlyArray<Objection> => {
  const recreated = new Map(targets.flatMap(({ _tag, topic }) => (_tag === "Recreated" ? [[topic.source, topic]] : [])))
  return elsewhere.flatMap(({ detail, key, partition, topic }) => {
    const target = recreated.get(topic)?.target
    if (target === undefined) return []
    const message = `topic ${target} would be deleted with partition ${partition}, and backup ${backupId} is damaged there: ${key} ${detail}`
    const advice = `${another}, or restore topic ${topic} to another name with topicMapping. ${whole}`
    return [objection("BackupDamaged", message, advice)]
  })
}

/**
 * What readings recorded as damaged of objects that the set names, and the look at them, which reads none, did not
 * find. Pure.
 */
export const recorded = (
  objects: ReadonlyArray<DamagedObject>,
  found: ReadonlyArray<Verification.Problem>,
  named: ReadonlySet<string>
): ReadonlyArray<Verification.Problem> => {
  const known = new Set(found.map(({ key }) => key))
  return objects
    .filter(({ key }) => named.has(key) && !known.has(key))
    .map(({ detail, sinceMillis, ...object }) => ({
      ...object,
      detail: `was found damaged at ${Cut.time(sinceMillis)}: ${detail} (if it was repaired since, verify --deep --mark clears this)`
    }))
}

/**
 * Whether every object of the backup is there with its size, its documents are as they were committed, and nothing is
 * recorded as damaged. The document of ACLs and quotas counts where the request asks for these.
 */
export const find = Effect.fn("DamagedBackup.find")(function* (
  store: ObjectStoreShape,
  set: BackupSet,
  request: RestoreRequest
) {
  const found = yield* Verification.verify(store, set, "objects")
  const named = new Set(Verification.locatedSegments(set).map(({ segment }) => segment.key))
  const known = recorded(yield* readRecorded(store, set.backupId), found.problems, named)
  return of({ ...found, problems: [...found.problems, ...known] }, request)
})
