import type * as BackupId from "../identity/BackupId.ts"
import * as Adoption from "../manifest/Adoption.ts"
import type * as Catalogue from "../manifest/Catalogue.ts"
import { acceptLossAnnotation, pinAnnotation } from "../resource/KafkaBackup.ts"
import * as Lineage from "./Lineage.ts"

/* What a retention pass says to people. */

/**
 * A note for each backup of this owner that may need objects of other backups, because its manifest cannot be read.
 * Backups of other owners and files of other applications need nothing of this owner.
 */
export const unknownNeeds = (
  entries: ReadonlyArray<Catalogue.CatalogueEntry>,
  resource: Adoption.Resource
): ReadonlyArray<string> =>
  entries.flatMap((entry) =>
    entry._tag === "Unreadable" &&
    !entry.isForeign &&
    (entry.owner === undefined || Adoption.mayNeed(resource, entry.owner))
      ? [`retention removed nothing, because ${entry.backupId} may need objects of other backups: ${entry.detail}`]
      : []
  )

/** Why a pass removes nothing where it needs a document that nobody can read. */
export const unreadable = (message: string): string =>
  `retention removed nothing, because a backup of this resource cannot be read: ${message}`

/** How many losses are named for one backup. */
const namedLosses = 5

/** Why a backup stays that no rule keeps. */
export const losses = (backupId: BackupId.BackupId, lost: ReadonlyArray<Lineage.Loss>): string => {
  const named = lost.slice(0, namedLosses).map((loss) => Lineage.sentence(loss, backupId))
  const more = lost.length - named.length
  return [...named, ...(more === 0 ? [] : [`and ${more} more topics`])].join("; ")
}

/** What an annotation says that means nothing: entries that accept no loss, and pinned ids that are not there. */
export const ofAnnotations = (
  unknown: ReadonlyArray<string>,
  missing: ReadonlyArray<string>
): ReadonlyArray<string> => {
  const named = unknown.map((entry) => `"${entry.slice(0, 100)}"`).join(", ")
  return [
    ...(unknown.length === 0
      ? []
      : [
          `annotation ${acceptLossAnnotation} is ignored in part: ${named} is neither a backup of this resource nor topic:PATTERN`
        ]),
    ...(missing.length === 0
      ? []
      : [
          `annotation ${pinAnnotation} pins backups that this resource does not have: ${missing.map((id) => id.slice(0, 300)).join(", ")}`
        ])
  ]
}

/** A note for each folder with remains. */
export const remains = (folders: ReadonlyArray<BackupId.BackupId>): ReadonlyArray<string> =>
  folders.map(
    (backupId) =>
      `${backupId} is no backup: it holds objects of a backup that was removed; prune removes what no backup needs`
  )

/** A note for each reason for which folders stay, with the first of them: why, by folder. */
export const needed = (held: ReadonlyMap<string, string>): ReadonlyArray<string> =>
  [...Map.groupBy([...held], ([, why]) => why)].map(([why, folders]) => {
    const more = folders.length - 1
    const others = more === 0 ? "stays" : `and ${more} more ${more === 1 ? "folder" : "folders"} stay`
    return `${folders[0]![0]} ${others} for now: ${why}`
  })

/** The first of these backups, and how many more. */
const firstOf = (all: ReadonlyArray<string>): string =>
  all.length < 2 ? (all[0] ?? "") : `${all[0]} and ${all.length - 1} more backup${all.length === 2 ? "" : "s"}`

/** A note about backups that there was no memory to check: why of the first, by id. */
export const unchecked = (all: ReadonlyMap<string, string>): ReadonlyArray<string> => {
  const [first] = all.values()
  if (first === undefined) return []
  return [`${firstOf([...all.keys()])} ${all.size === 1 ? "was" : "were"} not checked: ${first}`]
}

/** A note about backups that stay because too few of the newer ones could be checked. */
export const unproven = (all: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (all.length === 0) return []
  const [stay, them] = all.length === 1 ? ["stays", "it"] : ["stay", "them"]
  return [
    `${firstOf(all)} ${stay} although no rule keeps ${them}, because the memory limit is too small to check newer ` +
      "backups: raise spec.resources.limits.memory, or run kafka-backup prune on a machine with more memory"
  ]
}

/** A note for the records of runs that stay of a resource without a uid, although all of its backups go. */
export const runRecords = (records: number, folder: string): ReadonlyArray<string> =>
  records === 0
    ? []
    : [
        `${records === 1 ? "1 small record of a run stays" : `${records} small records of runs stay`} in ${folder}, ` +
          "because a resource without uid may come back under its name: with them no slot is made a second time " +
          "(RunAlreadyTaken). To make these slots again, delete that folder in the store"
      ]

/** A damaged backup, what is damaged in it, and whether it goes. */
export interface Damaged {
  readonly backupId: BackupId.BackupId
  readonly damage: string
  readonly isExpired: boolean
}

/** How many backups are named that have the same damage. */
const namedDamaged = 3

/** A note for each damage: backups share objects, so that one object may damage hundreds of them. */
export const damaged = (all: ReadonlyArray<Damaged>): ReadonlyArray<string> =>
  [...Map.groupBy(all, ({ damage, isExpired }) => `${isExpired} ${damage}`).values()].map((same) => {
    const { damage, isExpired } = same[0]!
    const named = same.slice(0, namedDamaged).map(({ backupId }) => backupId)
    const who = [...named, ...(same.length > named.length ? [`${same.length - named.length} more`] : [])]
    const [is, goes, does, it] =
      same.length === 1 ? ["is", "goes", "does", "it if it was"] : ["are", "go", "do", "them if they were"]
    // What Kafka has deleted since may be in no newer one: as with whole backups, that keeps none.
    const what = isExpired
      ? `${goes}, because no rule would keep ${it} whole, and newer whole backups stay (describe says what they lack)`
      : `${does} not count for retention`
    return `${who.length === 1 ? who[0] : `${who.slice(0, -1).join(", ")} and ${who.at(-1)}`} ${is} damaged and ${what}: ${damage}`
  })
