import type { BackupId } from "../identity/BackupId.ts"
import type { Ledger } from "./Ledger.ts"
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
}

export const begin = (ledger: Ledger, kept: ReadonlyArray<KeptSet>): Upkeep => ({
  ledger,
  kept: new Map(kept.map((set) => [set.backupId, set])),
  opened: new Set()
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
  const [late, last]: [Array<number>, Array<number>] = [[], []]
  // A set that is not kept is older than any other.
  const millisOf = sets.map(({ heldMillis, id }) => (kept.has(id) ? (heldMillis ?? -1) : -1))
  millisOf[set] = completedMillis
  for (const [n, { bytes, key, writtenMillis }] of objects.entries()) {
    const [low, high] = [hashes[2 * n]!, hashes[2 * n + 1]!]
    const row = entries.find(low, high)
    if (row !== -1) {
      if ((millisOf[entries.set[row]!] ?? -1) <= completedMillis) entries.set[row] = set
      continue
    }
    const folder = number(key.slice(0, key.indexOf("/")))
    const isOwn = isNew && folder === set
    ;(isOwn ? last : late).push(entries.count)
    entries.add(low, high, bytes, seconds((isOwn ? undefined : writtenMillis) ?? completedMillis), set, folder)
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

/** The sets that may name objects of one that is gone, the newest first, but for those that others answer for. */
const candidates = (
  { kept, ledger, opened }: Upkeep,
  gone: number,
  folders: ReadonlySet<number>
): ReadonlyArray<KeptSet> => {
  const { sets } = ledger
  const names = new Set([...folders].map((folder) => sets[folder]!.id))
  const goneMillis = sets[gone]!.heldMillis ?? Infinity
  const answering = [...opened].filter((number) => isBelow(ledger, number, gone))
  return sets
    .flatMap(({ heldMillis, id }, number): ReadonlyArray<KeptSet> => {
      const set = kept.get(id)
      if (set === undefined || heldMillis === undefined || opened.has(number) || heldMillis > goneMillis) return []
      if (!names.has(id) && !set.references.some((folder) => names.has(folder))) return []
      return answering.some((one) => isBelow(ledger, number, one)) ? [] : [set]
    })
    .toSorted((a, b) => b.completedMillis - a.completedMillis)
}

/** Kept sets whose objects are not all in the ledger, the oldest first. */
export const unknown = ({ kept, ledger: { sets } }: Upkeep): ReadonlyArray<KeptSet> => {
  const held = new Set(sets.flatMap(({ heldMillis, id }) => (heldMillis === undefined ? [] : [id])))
  return [...kept.values()]
    .filter(({ backupId }) => !held.has(backupId))
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

/** A set that cannot be opened: it is gone, or nobody can read what it names. */
export const forget = ({ kept, ledger: { sets } }: Upkeep, { backupId }: KeptSet): void => {
  kept.delete(backupId)
  const number = sets.findIndex(({ id }) => id === backupId)
  const { heldMillis: _held, ...rest } = sets[number] ?? { id: backupId }
  if (number !== -1) sets[number] = rest
}

/** The ledger without sets that nothing in it needs, renumbered. Who was built on whom stays known among the others. */
const compact = (ledger: Ledger): void => {
  const { entries, sets } = ledger
  const isNeeded = sets.map(({ heldMillis }) => heldMillis !== undefined)
  for (let row = 0; row < entries.count; row++) {
    isNeeded[entries.set[row]!] = true
    isNeeded[entries.folder[row]!] = true
  }
  const numbers: Array<number> = []
  let count = 0
  for (const needed of isNeeded) numbers.push(needed ? count++ : -1)
  const baseOf = (number: number): number | undefined => {
    const passed = new Set([number])
    let at = sets[number]?.base
    while (at !== undefined && !isNeeded[at] && !passed.has(at)) {
      passed.add(at)
      at = sets[at]?.base
    }
    return at === undefined || !isNeeded[at] ? undefined : numbers[at]
  }
  const left = sets.flatMap(({ base: _base, ...rest }, number) => {
    if (!isNeeded[number]) return []
    const base = baseOf(number)
    return [{ ...rest, ...(base === undefined ? {} : { base }) }]
  })
  for (let row = 0; row < entries.count; row++) {
    entries.set[row] = numbers[entries.set[row]!]!
    entries.folder[row] = numbers[entries.folder[row]!]!
  }
  ledger.sets = left
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
  const { entries, sets } = ledger
  ledger.entries = entries.filtered((row) => kept.has(sets[entries.set[row]!]!.id))
  ledger.sets = sets.map((set) => {
    const { heldMillis: _held, ...rest } = set
    return kept.has(set.id) ? set : rest
  })
  compact(ledger)
}
