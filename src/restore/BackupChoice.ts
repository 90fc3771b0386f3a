import { createHash } from "node:crypto"
import { Effect, Stream } from "effect"
import * as BackupId from "../identity/BackupId.ts"
import { ownerKey } from "../identity/RunIdentity.ts"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import * as Adoption from "../manifest/Adoption.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import * as Damage from "../manifest/Damage.ts"
import * as OwnSets from "../manifest/OwnSets.ts"
import { digest } from "../manifest/SetFacts.ts"
import * as Seal from "../manifest/Seal.ts"
import * as SetIndex from "../manifest/SetIndex.ts"
import type { Origin, Restorable } from "../resource/BackupRef.ts"
import * as PitrSpec from "../resource/PitrSpec.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Cut from "./Cut.ts"
import * as DamagedBackup from "./DamagedBackup.ts"
import * as DamagedMetadata from "./DamagedMetadata.ts"
import { preflightFailed } from "./RestoreError.ts"
import * as RestorePlan from "./RestorePlan.ts"
import * as RestoreMemory from "./RestoreMemory.ts"
import type { Chosen } from "./RestoreRequest.ts"
import * as SpecRequest from "./SpecRequest.ts"

/*
 * Which backup of a KafkaBackup a restore takes. It is chosen when an attempt starts, and remembered in the target
 * cluster before the first record is written: whoever goes on takes the same one, however many there are by then.
 * docs/adr/0032 has the reasons.
 */

/** Backups whose facts are read at the same time. */
const reading = 8

/** Every complete backup of the KafkaBackup, and the ids of those that cannot be read. */
const ownSets = Effect.fnUntraced(function* (store: ObjectStoreShape, resource: Adoption.Resource) {
  const folders = yield* Stream.runCollect(store.folders)
  const ids = folders
    .filter((folder) => BackupId.isOf(resource.name, folder))
    .flatMap((folder) => BackupId.parse(folder) ?? [])
  const unreadable: Array<string> = []
  const read = Effect.fnUntraced(function* (backupId: BackupId.BackupId) {
    if (!(yield* Catalogue.isComplete(store, backupId))) return []
    const facts = yield* Catalogue.factsOf(store, backupId).pipe(
      Effect.catchTag("CatalogueError", () => Effect.sync(() => void unreadable.push(backupId)))
    )
    return facts === undefined || facts.backupId !== backupId ? [] : [{ backupId, facts: digest(facts) }]
  })
  const sets = (yield* Effect.forEach(ids, read, { concurrency: reading })).flat()
  return { own: OwnSets.among(sets, resource, Adoption.of(sets, resource)), unreadable: unreadable.toSorted() }
})

/**
 * The newest of the backups; with a time, the oldest that was started at that time or later: it has all records until
 * then, and the fewest of them were removed since. Pure.
 */
export const choose = <S extends Pick<OwnSets.OwnSet, "backupId" | "facts">>(
  sets: ReadonlyArray<S>,
  atMillis: number | undefined
): S | undefined => {
  const ascending = sets.toSorted(
    (a, b) => a.facts.startedMillis - b.facts.startedMillis || (a.backupId < b.backupId ? -1 : 1)
  )
  return atMillis === undefined
    ? ascending.at(-1)
    : ascending.find(({ facts: { startedMillis } }) => startedMillis >= atMillis)
}

/** True if something that the resource restores, or deletes with a topic, is known to be damaged in the backup. */
const isDamaged = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  resource: Restorable,
  backupId: BackupId.BackupId,
  noticed: ReadonlySet<string>
) {
  const recorded = yield* Damage.read(store, backupId)
  if (recorded.length === 0 && noticed.size === 0) return false
  const request = SpecRequest.request(resource, { backupId, by: "", why: "" })
  const isWanted = ({ partition, topic }: Damage.DamagedObject) =>
    RestorePlan.isSelected(request, topic, request.existingTopics === "recreate" ? undefined : partition)
  if (recorded.some(isWanted)) return true
  // What is lost of one backup may be lost of others, of which nobody has noticed it yet.
  if (noticed.size === 0) return false
  return (yield* DamagedBackup.find(store, yield* Catalogue.openById(store, backupId), request)).objections.length > 0
})

/** True if the backup can be opened, and all of its documents that the resource needs are as they were committed. */
const isSound = (store: ObjectStoreShape, resource: Restorable, backupId: BackupId.BackupId) =>
  Catalogue.openById(store, backupId).pipe(
    Effect.flatMap((set) => Seal.inspect(store, set)),
    Effect.map(({ broken }) =>
      broken.every(
        (one) =>
          DamagedMetadata.isOf(backupId, one) &&
          !DamagedMetadata.isNeeded(SpecRequest.request(resource, { backupId, by: "", why: "" }))
      )
    ),
    Effect.catchTag("CatalogueError", () => Effect.succeed(false))
  )

/**
 * The backup that is asked for, but for those that nobody can read or whose documents were changed, and those that are
 * known to be damaged in what is restored. Where all of them are, the first one that is asked for: the restore is
 * refused then, and says what is damaged.
 */
const chooseWhole = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  resource: Restorable,
  from: Adoption.Resource,
  own: ReadonlyArray<OwnSets.OwnSet>,
  atMillis: number | undefined
) {
  const indexed = yield* SetIndex.indexed(store, Adoption.ownerOf(from))
  const noticed = new Set(indexed.flatMap(({ backupId, check }) => (check?.damage === undefined ? [] : [backupId])))
  const damaged = new Set<string>()
  const unsound = new Set<string>()
  for (;;) {
    const found = choose(
      own.filter(({ backupId }) => !damaged.has(backupId) && !unsound.has(backupId)),
      atMillis
    )
    if (found === undefined) return { found: choose(own, atMillis), damaged: [], unsound: [] }
    if (!(yield* isSound(store, resource, found.backupId))) unsound.add(found.backupId)
    else if (yield* isDamaged(store, resource, found.backupId, noticed)) damaged.add(found.backupId)
    else return { found, damaged: [...damaged], unsound: [...unsound] }
  }
})

/** Most backups that a text names. */
const mostNamed = 5

const named = (ids: ReadonlyArray<string>): string =>
  ids.length <= mostNamed ? ids.join(", ") : `${ids.slice(0, mostNamed).join(", ")} and ${ids.length - mostNamed} more`

/** The time that the backup must cover, milliseconds since 1970; undefined: the newest is asked for. */
const timeOf = ({ spec: { backupRef, pitr } }: Restorable): number | undefined =>
  backupRef?.select === "Latest" ? undefined : PitrSpec.bounds(pitr)?.last

const resourceOf = ({ createdMillis, name, namespace, sourceClusterId, uid }: Origin): Adoption.Resource => ({
  name,
  ...(namespace === undefined ? {} : { namespace }),
  ...(uid === undefined ? {} : { uid }),
  adopting: { sourceClusterId, createdMillis }
})

/** The backup that the resource asks for; undefined where it names one itself. */
export const resolve = Effect.fn("BackupChoice.resolve")(function* (
  { sink, store }: { readonly sink: KafkaSinkShape; readonly store: ObjectStoreShape },
  resource: Restorable
) {
  const { origin } = resource
  if (resource.spec.backupRef === undefined || origin === undefined) return undefined
  const from = resourceOf(origin)
  const atMillis = timeOf(resource)
  const by = createHash("sha256")
    .update(JSON.stringify([ownerKey(from), atMillis ?? "latest"]))
    .digest("hex")
    .slice(0, 16)
  const memory = (yield* RestoreMemory.load(sink, SpecRequest.owner(resource))) ?? new Map()
  const earlier = [...memory.values()].find(({ chosen }) => chosen?.by === by)?.chosen
  if (earlier !== undefined) {
    return { ...earlier, why: "it was chosen when this restore began to write" } satisfies Chosen
  }
  const { own, unreadable } = yield* ownSets(store, from)
  const { damaged, found, unsound } = yield* chooseWhole(store, resource, from, own, atMillis)
  const told = (what: string, ids: ReadonlyArray<string>) => (ids.length === 0 ? "" : `; ${what}: ${named(ids)}`)
  const passedOver =
    told("passed over, because what is restored is damaged in them", damaged) +
    told("passed over, because their manifest, or another document, is damaged", unsound)
  const leftOut = told("not readable, and left out", unreadable)
  const whose = `KafkaBackup ${origin.name}`
  if (found !== undefined) {
    const which =
      atMillis === undefined ? "the newest" : `the oldest that was started at ${Cut.time(atMillis)} or later,`
    const why = `it is ${which} of ${own.length} complete backup${own.length === 1 ? "" : "s"} of ${whose}${passedOver}${leftOut}`
    return { backupId: found.backupId, by, why } satisfies Chosen
  }
  const newest = choose(own, undefined)
  return yield* preflightFailed([
    newest === undefined || atMillis === undefined
      ? {
          reason: "NoBackup",
          message: `${whose} has no complete backup in ${store.location}${leftOut}`,
          advice: `wait for its first backup, or name one with backupId: kafka-backup list shows all`
        }
      : {
          reason: "TargetNotCovered",
          message: `pitr asks for records until ${Cut.time(atMillis)}, and the newest backup of ${whose}, ${newest.backupId}, was started at ${Cut.time(newest.facts.startedMillis)}${leftOut}`,
          advice: "wait for the next backup, or choose an earlier time"
        }
  ])
})
