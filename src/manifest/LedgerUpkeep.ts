import type { BackupId } from "../identity/BackupId.ts"
import type { Ledger } from "./Ledger.ts"
import { compact } from "./LedgerCompaction.ts"
import type { LedgerEntries } from "./LedgerEntries.ts"

/*
 * Keeps a ledger to what the kept sets name, from as few manifests as possible. Each object has the number of the
 * newest set that names it. What a run has just made it knows; where a set is gone, the objects that it was the newest
 * to name are looked for in older sets.
 *
 * A set names objects of its own and of the set that it was built on. So where a set does not name an object of one
 * that was built on it, directly or not, no set before it does either: in a chain of sets the next older one is enough.
 */

/** A kept set, as far as its facts and the index say. */
export interface KeptSet {
  readonly backupId: BackupId
  readonly completedMillis: number
  /** The set that it was built on. */
  readonly base?: BackupId | undefined
  /** The folders of other sets in which its manifest names objects. */
  readonly references: ReadonlyArray<string>
}

/** An object that a manifest names. */
export interface NamedObject {
  readonly key: string
  readonly bytes: number
  /** When it was written, milliseconds since 1970, where the manifest says so. */
  readonly writtenMillis?: number | undefined
}

/** A ledger that is being brought up to date. */
export interface Upkeep {
  readonly ledger: Ledger
  /** By id. */
  readonly kept: Map<string, KeptSet>
  /** Numbers of the sets that were opened meanwhile. */
  readonly opened: Set<number>
  /** Ids of the sets whose manifest cannot be read for now. */
  readonly failed: Set<string>
}

export const begin = (ledger: Ledger, kept: ReadonlyArray<KeptSet>): Upkeep => ({
  ledger,
  kept: new Map(kept.map((set) => [set.backupId, set])),
  opened: new Set(),
  failed: new Set()
})

const numberOf = ({ sets }: Ledger, id: string): number => {
  const found = sets.findIndex((set) => set.id === id)
  return found === -1 ? sets.push({ id }) - 1 : found
}

const numbering = (ledger: Ledger) => {
  const known = new Map(ledger.sets.map(({ id }, n) => [id, n]))
  return (id: string): number => {
    const found = known.get(id) ?? numberOf(ledger, id)
    known.set(id, found)
    return found
  }
}

/** The newest set to name an object that no set is known to name, older than any: no manifest is read to find one. */
const numberOfNobody = (ledger: Ledger): number => {
  const number = numberOf(ledger, "")
  ledger.sets[number] = { id: "", heldMillis: -1 }
  return number
}

const seconds = (millis: number): number => Math.max(0, Math.floor(millis / 1000))

/** The first rows, with the rows `late` among them in the order of their times, and `last` behind all. */
const merged = (
  { seconds }: LedgerEntries,
  first: number,
  late: ReadonlyArray<number>,
  last: ReadonlyArray<number>
): ReadonlyArray<number> => {
  const sorted = late.toSorted((a, b) => seconds[a]! - seconds[b]! || a - b)
  const rows: Array<number> = []
  let next = 0
  for (let row = 0; row < first; row++) {
    while (next < sorted.length && seconds[sorted[next]!]! < seconds[row]!) rows.push(sorted[next++]!)
    rows.push(row)
  }
  while (next < sorted.length) rows.push(sorted[next++]!)
  for (const row of last) rows.push(row)
  return rows
}

/**
 * Enters the objects that a set names, with the hashes of their keys. `isNew`: the run has just made it, and proved
 * what it wrote, which goes to the back of the queue. Anything else that is not known yet takes its place by the time
 * at which it was written.
 */
export const absorb = (
  { kept, ledger, opened }: Upkeep,
  { backupId, base, completedMillis }: KeptSet,
  objects: ReadonlyArray<NamedObject>,
  hashes: Uint32Array,
  isNew: boolean
): void => {
  const { entries, sets } = ledger
  const number = numbering(ledger)
  const set = number(backupId)
  const first = entries.count
  const named = new Uint8Array(first)
  const [late, last]: [Array<number>, Array<number>] = [[], []]
  // A set that is not kept is older than any other.
  const millisOf = sets.map(({ heldMillis, id }) => (kept.has(id) ? (heldMillis ?? -1) : -1))
  millisOf[set] = completedMillis
  for (const [n, { bytes, key, writtenMillis }] of objects.entries()) {
    const [low, high] = [hashes[2 * n]!, hashes[2 * n + 1]!]
    const row = entries.find(low, high)
    if (row !== -1) {
      if (row < first) named[row] = 1
      if ((millisOf[entries.set[row]!] ?? -1) <= completedMillis) entries.set[row] = set
      continue
    }
    const folder = number(key.slice(0, key.indexOf("/")))
    const isOwn = isNew && folder === set
    ;(isOwn ? last : late).push(entries.count)
    entries.add(low, high, bytes, seconds((isOwn ? undefined : writtenMillis) ?? completedMillis), set, folder)
  }
  // What stayed with it while nobody could read its manifest.
  for (let row = 0; row < first; row++) {
    if (entries.set[row] === set && named[row] === 0) entries.set[row] = numberOfNobody(ledger)
  }
  if (late.length > 0) ledger.entries = entries.arranged(merged(entries, first, late, last))
  sets[set] = {
    id: backupId,
    ...(base === undefined ? {} : { base: number(base) }),
    heldMillis: completedMillis
  }
  opened.add(set)
}

/** True if `older` is a set that `newer` was built on, directly or not. */
const isBelow = ({ sets }: Ledger, older: number, newer: number): boolean => {
  const passed = new Set([newer])
  for (let at = sets[newer]?.base; at !== undefined && !passed.has(at); at = sets[at]?.base) {
    if (at === older) return true
    passed.add(at)
  }
  return false
}

/** The sets that are gone and that objects still have for the newest that names them, each with their folders. */
const orphans = ({ kept, ledger: { entries, sets } }: Upkeep): ReadonlyMap<number, ReadonlySet<number>> => {
  const gone = sets.map(({ id }) => !kept.has(id))
  const found = new Map<number, Set<number>>()
  for (let row = 0; row < entries.count; row++) {
    const set = entries.set[row]!
    if (!gone[set]) continue
    const folders = found.get(set) ?? new Set<number>()
    found.set(set, folders.add(entries.folder[row]!))
  }
  return found
}

/** The folders of these numbers in which a set may name objects. */
const foldersOf = (
  { sets }: Ledger,
  { backupId, references }: KeptSet,
  folders: ReadonlySet<number>
): ReadonlyArray<number> =>
  [...folders].filter((folder) => sets[folder]!.id === backupId || references.includes(sets[folder]!.id))

/** The sets that may name objects of one that is gone, the newest first, but for those that others answer for. */
const candidates = (
  { failed, kept, ledger, opened }: Upkeep,
  gone: number,
  folders: ReadonlySet<number>
): ReadonlyArray<KeptSet> => {
  const { sets } = ledger
  const goneMillis = sets[gone]!.heldMillis ?? Infinity
  const answering = [...opened].filter((number) => isBelow(ledger, number, gone))
  return sets
    .flatMap(({ heldMillis, id }, number): ReadonlyArray<KeptSet> => {
      const set = kept.get(id)
      if (set === undefined || heldMillis === undefined || opened.has(number) || heldMillis > goneMillis) return []
      if (failed.has(id) || foldersOf(ledger, set, folders).length === 0) return []
      return answering.some((one) => isBelow(ledger, number, one)) ? [] : [set]
    })
    .toSorted((a, b) => b.completedMillis - a.completedMillis)
}

/** Kept sets whose objects are not all in the ledger, and that were not tried in vain, the oldest first. */
export const unknown = ({ failed, kept, ledger: { sets } }: Upkeep): ReadonlyArray<KeptSet> => {
  const held = new Set(sets.flatMap(({ heldMillis, id }) => (heldMillis === undefined ? [] : [id])))
  return [...kept.values()]
    .filter(({ backupId }) => !held.has(backupId) && !failed.has(backupId))
    .toSorted((a, b) => a.completedMillis - b.completedMillis || (a.backupId < b.backupId ? -1 : 1))
}

/** The next set whose manifest has to be read; undefined when the ledger has all. */
export const next = (upkeep: Upkeep): KeptSet | undefined => {
  for (const [gone, folders] of orphans(upkeep)) {
    const [found] = candidates(upkeep, gone, folders)
    if (found !== undefined) return found
  }
  return unknown(upkeep)[0]
}

/** A set whose manifest cannot be read for now: what it may name stays, until somebody can tell. */
export const fail = ({ failed, ledger }: Upkeep, { backupId }: KeptSet): void => {
  failed.add(backupId)
  unhold(ledger, backupId)
}

/** A set that is gone. */
export const forget = ({ kept, ledger }: Upkeep, { backupId }: KeptSet): void => {
  kept.delete(backupId)
  unhold(ledger, backupId)
}

/** Whether the ledger has all that this set names is not known any more. */
const unhold = ({ sets }: Ledger, backupId: string): void => {
  const number = sets.findIndex(({ id }) => id === backupId)
  const { heldMillis: _held, ...rest } = sets[number] ?? { id: backupId }
  if (number !== -1) sets[number] = rest
}

/** Objects that only a set can name whose manifest cannot be read stay with it, and keep their times. */
const stayWithFailed = (upkeep: Upkeep): void => {
  const { failed, kept, ledger } = upkeep
  const newestFirst = [...failed]
    .flatMap((id) => kept.get(id) ?? [])
    .toSorted((a, b) => b.completedMillis - a.completedMillis)
  if (newestFirst.length === 0) return
  const { entries } = ledger
  const number = numbering(ledger)
  for (const [gone, folders] of orphans(upkeep)) {
    const byFolder = new Map<number, number>()
    for (const set of newestFirst) {
      const own = number(set.backupId)
      for (const folder of foldersOf(ledger, set, folders)) if (!byFolder.has(folder)) byFolder.set(folder, own)
    }
    for (let row = 0; row < entries.count; row++) {
      if (entries.set[row] === gone) entries.set[row] = byFolder.get(entries.folder[row]!) ?? gone
    }
  }
}

/**
 * Ends the upkeep: what no kept set names any more leaves the queue. Where it ends before `next` has nothing left, sets
 * that may name more are unknown from now on, and are read by a later run.
 */
export const end = (upkeep: Upkeep): void => {
  const { kept, ledger } = upkeep
  for (const [gone, folders] of orphans(upkeep)) {
    for (const set of candidates(upkeep, gone, folders)) {
      const number = numberOf(ledger, set.backupId)
      const { heldMillis: _held, ...rest } = ledger.sets[number]!
      ledger.sets[number] = rest
    }
  }
  stayWithFailed(upkeep)
  const { entries, sets } = ledger
  ledger.entries = entries.filtered((row) => kept.has(sets[entries.set[row]!]!.id))
  ledger.sets = sets.map((set) => {
    const { heldMillis: _held, ...rest } = set
    return kept.has(set.id) ? set : rest
  })
  compact(ledger)
}
