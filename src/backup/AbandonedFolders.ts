import { Effect } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import * as AbandonedRuns from "../manifest/AbandonedRuns.ts"
import type * as Adoption from "../manifest/Adoption.ts"
import * as SetIndex from "../manifest/SetIndex.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as InUse from "./InUse.ts"

/*
 * Which folders of abandoned runs go. A folder whose manifest was lost looks like one, but other backups may name its
 * objects, and what lost its manifest may get it back: only what never was a backup, as far as anybody can tell, goes.
 */

/** What is decided of folders without a manifest into which nothing was written for a long time. */
export interface Decided {
  readonly going: ReadonlyArray<AbandonedRuns.AbandonedRun>
  /** Why the others stay, for people. */
  readonly notes: ReadonlyArray<string>
}

/** What may need the folders below the names of one resource. */
interface Needing {
  readonly named: ReadonlySet<string>
  /** Somebody's needs cannot be read. */
  readonly isUnknown: boolean
}

const needing = ({ others, sets }: Pick<SetIndex.Known, "others" | "sets">, inUse: Iterable<string>): Needing => ({
  named: new Set([
    ...inUse,
    ...[...sets, ...others].flatMap((entry) => ("references" in entry ? entry.references : []))
  ]),
  isUnknown: others.some((entry) => entry._tag === "Unreadable" && !entry.isForeign)
})

/** The same of another resource: backups name objects below the names of their own resource only. */
const needingElsewhere = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  { identity }: AbandonedRuns.AbandonedRun,
  quiet: ReadonlySet<BackupId>
) {
  const known = yield* SetIndex.known(store, identity.owner, "sets")
  const active = known.others.flatMap(({ _tag, backupId }) =>
    _tag === "Incomplete" && !quiet.has(backupId) ? [backupId] : []
  )
  return needing(known, (yield* InUse.ofRuns(store, active)).keys())
})

const note = (backupId: BackupId, why: string) => `${backupId} has no manifest and is no backup; it stays: ${why}`

/** Why the folder stays; undefined if nothing speaks against its removal. */
const whyStaying = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  { backupId }: AbandonedRuns.AbandonedRun,
  { isUnknown, named }: Needing,
  pins: ReadonlySet<string>
) {
  if (named.has(backupId)) return "other backups need its objects; put manifest.json back if there is a copy of it"
  if (pins.has(backupId)) return "it is pinned"
  if (isUnknown) return "a backup that cannot be read may need its objects"
  if (yield* AbandonedRuns.hasEnded(store, backupId)) {
    return "its run had written everything else; put manifest.json back, or remove the folder by hand"
  }
  return undefined
})

/**
 * Decides on `quiet`, folders below the names of `resource` or of others. `known` and `inUse` are what is known below
 * the names of `resource`; needs of other resources are read here, if something of theirs is to go.
 */
export const decide = Effect.fn("AbandonedFolders.decide")(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  known: Pick<SetIndex.Known, "others" | "sets">,
  inUse: InUse.InUse,
  quiet: AbandonedRuns.Quiet,
  pins: ReadonlySet<string>
) {
  const byName = new Map([[resource.name, needing(known, inUse.keys())]])
  const going: Array<AbandonedRuns.AbandonedRun> = []
  const notes: Array<string> = []
  for (const run of quiet.runs) {
    const { name } = run.identity.owner
    const needed = byName.get(name) ?? (yield* needingElsewhere(store, run, quiet.folders))
    byName.set(name, needed)
    const why = yield* whyStaying(store, run, needed, pins)
    if (why === undefined) going.push(run)
    else notes.push(note(run.backupId, why))
  }
  return { going, notes } satisfies Decided as Decided
})
