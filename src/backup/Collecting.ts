import { Effect, Stream } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import * as Adoption from "../manifest/Adoption.ts"
import * as Needs from "../manifest/Needs.ts"
import type { RetiredFolder } from "../manifest/RetiredFolder.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { FolderSpace } from "./RetentionOutcome.ts"

/*
 * What a pass removes of folders in which other sets name objects: of those that it removes as backups, and of those
 * that were backups once.
 */

/** What decides on the objects of removed sets. */
export interface Demand {
  /** The folders of backups, of runs and of their remains that this pass removes. */
  readonly going: ReadonlyArray<BackupId>
  /** What is left of sets that this owner removed before, as far as this pass looks at it. */
  readonly retired: ReadonlyArray<RetiredFolder>
  /** Every complete set that stays and names objects of others, whoever owns it. */
  readonly needs: ReadonlyArray<Needs.Need>
}

/** What a pass does about the objects. */
export interface Collection {
  /** Objects that stay, of all folders that are removed or collected. */
  readonly stillNamed: ReadonlySet<string>
  /** Retired folders from which something goes. */
  readonly collected: ReadonlyArray<RetiredFolder>
}

/** A retired folder is gone through again if this part of it would be won, */
const leastPart = 0.1
/** or so many bytes: 1 GiB. */
const leastBytes = 1024 ** 3

/** Whether it is worth while to remove what nobody names of a retired folder. Pure. */
export const isWorthwhile = (bytes: number, namedBytes: number): boolean =>
  bytes - namedBytes >= Math.min(leastBytes, Math.max(1, bytes * leastPart))

const sum = (named: Needs.NamedKeys | undefined): number => [...(named ?? [])].reduce((n, [, bytes]) => n + bytes, 0)

/**
 * What goes, and which objects stay. Opens the manifests that decide, and no other. Fails with `DocumentUnreadable` if
 * one of them cannot be read.
 */
export const plan = Effect.fn("Collecting.plan")(function* (
  store: ObjectStoreShape,
  { going, needs, retired }: Demand
) {
  const folders = [...going, ...retired.map(({ backupId }) => backupId)]
  const named = yield* Needs.named(store, folders, needs)
  return {
    stillNamed: new Set([...named.values()].flatMap((keys) => [...keys.keys()])),
    collected: retired.filter(
      ({ backupId, bytes }) => Needs.of(backupId, needs).length === 0 || isWorthwhile(bytes, sum(named.get(backupId)))
    )
  } satisfies Collection as Collection
})

/**
 * What each folder gives back, and what stays of it for whom, as the store lists it now. Folders of which nothing is
 * there are left out.
 */
export const space = Effect.fn("Collecting.space")(function* (
  store: ObjectStoreShape,
  { going, needs }: Pick<Demand, "going" | "needs">,
  { collected, stillNamed }: Collection
) {
  const wasBackup = new Set<string>(going)
  return yield* Effect.forEach(
    [...going, ...collected.map(({ backupId }) => backupId)],
    Effect.fnUntraced(function* (backupId) {
      const { freedBytes, keptBytes } = yield* store.list(`${backupId}/`).pipe(
        Stream.runFold(
          () => ({ freedBytes: 0, keptBytes: 0 }),
          (total, { key, size }) =>
            stillNamed.has(key)
              ? { ...total, keptBytes: total.keptBytes + size }
              : { ...total, freedBytes: total.freedBytes + size }
        )
      )
      return {
        backupId,
        isRetired: !wasBackup.has(backupId),
        freedBytes,
        keptBytes,
        neededBy: keptBytes === 0 ? [] : Needs.of(backupId, needs).map((need) => need.backupId)
      } satisfies FolderSpace
    }),
    { concurrency: 8 }
  )
})

/** The retired folders that are this resource's to collect: see `Adoption.isLeftTo`. */
export const ownOf = (
  retired: ReadonlyArray<RetiredFolder>,
  resource: Adoption.Resource,
  adoption: Adoption.Adoption,
  all: ReadonlyArray<Adoption.Candidate>
): ReadonlyArray<RetiredFolder> => {
  const isOwn = Adoption.isLeftTo(resource, adoption, all)
  return retired.filter(({ owner }) => isOwn(owner))
}
