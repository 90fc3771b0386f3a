import { Effect, Result } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import { ownerOf, type Resource } from "../manifest/Adoption.ts"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import { CatalogueError, DocumentUnreadable, SetIncomplete } from "../manifest/CatalogueError.ts"
import type { Manifest } from "../manifest/Manifest.ts"
import { isThere } from "../manifest/ObjectsThere.ts"
import * as OwnSets from "../manifest/OwnSets.ts"
import type { BaseSet } from "../manifest/RunPlan.ts"
import * as Seal from "../manifest/Seal.ts"
import type { SetFacts } from "../manifest/SetFacts.ts"
import * as SetIndex from "../manifest/SetIndex.ts"
import * as SetRemoval from "../manifest/SetRemoval.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"

/** A backup that names more segments than there is memory for. */
export interface TooLarge {
  readonly backupId: BackupId
  readonly segments: number
}

export const isTooLarge = (found: Base | TooLarge): found is TooLarge => "segments" in found

/** The earlier backup that a run builds on. */
export interface Base {
  /** As the plan names it. */
  readonly named: BaseSet
  readonly manifest: Manifest
  readonly facts: SetFacts
  /** When it was chosen, a newer backup was there that claims to be of a later time than it was. */
  readonly isClockBehind: boolean
  /** No newer one was passed over because its manifest is not sound. */
  readonly isNewest: boolean
  /** Newer backups that were passed over because their manifest is not sound, each with why. */
  readonly passedOver: ReadonlyArray<string>
}

/** The backup with this id, if its manifest is the one that was committed; else `DocumentUnreadable`. */
const openSound = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  backupId: BackupId,
  found: { readonly facts?: SetFacts; readonly isClockBehind?: boolean; readonly isNewest?: boolean } = {}
) {
  const { isClockBehind = false, isNewest = false } = found
  const set = yield* Catalogue.openById(store, backupId, found.facts)
  const { facts, manifest } = set
  const [problem] = yield* Seal.manifestProblems(store, set)
  if (problem !== undefined) {
    const reason = new DocumentUnreadable({ key: problem.key, detail: `it ${problem.detail}` })
    return yield* new CatalogueError({ reason })
  }
  if (facts === undefined) {
    const reason = new DocumentUnreadable({ key: BackupKeys.facts(backupId), detail: "it is not there" })
    return yield* new CatalogueError({ reason })
  }
  // Backups of version 0.1 have no seal.
  const manifestSha256 = facts.manifestSha256 ?? Seal.manifestSha256(manifest)
  const passedOver: ReadonlyArray<string> = []
  return { named: { backupId, manifestSha256 }, manifest, facts, isClockBehind, isNewest, passedOver } satisfies Base
})

/** Backups of the index that are newer than this one, or all, and have no manifest although nobody removes them. */
const lostSince = (
  store: ObjectStoreShape,
  indexed: ReadonlySet<BackupId>,
  except: BackupId,
  base: BackupId | undefined
) =>
  Effect.filter([...indexed].filter((id) => id !== except && (base === undefined || id > base)).toSorted(), (id) =>
    Effect.gen(function* () {
      if (yield* Catalogue.hasManifest(store, id)) return false
      // What was removed has no claim any more.
      return !(yield* SetRemoval.isCondemned(store, id)) && (yield* isThere(store, BackupKeys.claim(id)))
    })
  )

/** How many backups whose manifest is not sound are passed over: a manifest may have hundreds of megabytes. */
const mostPassedOver = 3

/**
 * The newest complete backup of the resource whose manifest is the one that was committed, whether or not its objects
 * are damaged; undefined without one, and no manifest is opened of one that is too large. Where manifests cannot be
 * read, and no other backup is older, fails with `CatalogueError`.
 */
export const find = Effect.fn("Base.find")(function* (
  store: ObjectStoreShape,
  resource: Resource,
  except: BackupId,
  nowMillis: number,
  mostSegments: number
) {
  const indexed = new Set((yield* SetIndex.indexed(store, ownerOf(resource))).map(({ backupId }) => backupId))
  const passedOver = new Set<BackupId>()
  const unsound: Array<CatalogueError> = []
  const lost = (base?: BackupId) =>
    Effect.map(lostSince(store, indexed, except, base), (ids) =>
      ids.map((backupId) => new CatalogueError({ reason: new SetIncomplete({ backupId, state: "manifestLost" }) }))
    )
  while (passedOver.size <= mostPassedOver) {
    const hints = { passedOver, indexed }
    const { facts: newest, isPassedOver } = yield* OwnSets.newest(store, resource, except, nowMillis, hints)
    if (newest === undefined) break
    const { segments } = newest.totals
    if (segments > mostSegments) return { backupId: newest.backupId, segments } satisfies TooLarge as TooLarge
    const found = yield* Effect.result(
      openSound(store, newest.backupId, {
        facts: newest,
        isClockBehind: isPassedOver,
        isNewest: passedOver.size === 0
      })
    )
    if (Result.isSuccess(found)) {
      const reasons = [...unsound, ...(yield* lost(newest.backupId))]
      const base: Base = { ...found.success, passedOver: reasons.map(({ message }) => message) }
      return base
    }
    if (found.failure._tag !== "CatalogueError") return yield* found.failure
    unsound.push(found.failure)
    passedOver.add(newest.backupId)
  }
  const [unreadable] = unsound.length > 0 ? unsound : yield* lost()
  return unreadable === undefined ? undefined : yield* unreadable
})

/** True for the base that a plan names. */
export const isNamed = ({ named }: Base, { backupId, manifestSha256 }: BaseSet): boolean =>
  named.backupId === backupId && named.manifestSha256 === manifestSha256

/**
 * The base that a plan names, for a later attempt; undefined if it was removed or changed since. The memory limit may
 * have been lowered since: no manifest is opened of one that is too large now.
 */
export const again = Effect.fn("Base.again")(
  function* (store: ObjectStoreShape, named: BaseSet, mostSegments: number) {
    const { backupId } = named
    const facts = yield* Catalogue.factsOf(store, backupId)
    const segments = facts?.totals.segments ?? 0
    if (segments > mostSegments) return { backupId, segments } satisfies TooLarge as TooLarge
    const found = yield* openSound(store, backupId, facts === undefined ? {} : { facts })
    return isNamed(found, named) ? found : undefined
  },
  Effect.catchTag("CatalogueError", () => Effect.succeed(undefined))
)

/** Bytes of keys and values in this part of the base; a part of its total in proportion to the record stream. */
export const payloadBytes = ({ facts, manifest }: Base, partBytes: number): number => {
  const all = manifest.topics.reduce(
    (sum, { partitions }) =>
      partitions.reduce(
        (inTopic, { segments }) => segments.reduce((n, { uncompressed_size: bytes = 0 }) => n + bytes, inTopic),
        sum
      ),
    0
  )
  return all === 0 ? 0 : Math.round((facts.totals.payloadBytes * partBytes) / all)
}
