import { Clock, Effect } from "effect"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Adoption from "./Adoption.ts"
import type { BackupSet } from "./Catalogue.ts"
import * as DamageMarking from "./DamageMarking.ts"
import * as Ledger from "./Ledger.ts"
import { hashes, type LedgerEntries } from "./LedgerEntries.ts"
import * as LedgerRefresh from "./LedgerRefresh.ts"

/**
 * Those rows at the back, in the same order, as read at this time; without the strays. What was `refused` goes before
 * them and keeps its time: so it does not stand before all others for ever. Changes nothing.
 */
export const moved = (
  entries: LedgerEntries,
  read: ReadonlySet<number>,
  strays: ReadonlySet<number>,
  nowMillis: number,
  refused: ReadonlySet<number> = new Set()
): LedgerEntries => {
  const [waiting, behind, done]: [Array<number>, Array<number>, Array<number>] = [[], [], []]
  for (let row = 0; row < entries.count; row++) {
    if (read.has(row)) done.push(row)
    else if (refused.has(row)) behind.push(row)
    else if (!strays.has(row)) waiting.push(row)
  }
  const made = entries.arranged([...waiting, ...behind, ...done])
  made.seconds.fill(Math.floor(nowMillis / 1000), waiting.length + behind.length, made.count)
  return made
}

/**
 * Objects in the order in which they are to be read, as positions among these keys: what the ledger does not know by
 * the hashes of the keys, then what was not read for longest. Pure.
 */
export const order = (entries: LedgerEntries, keys: ReadonlyArray<string>): ReadonlyArray<number> => {
  const hashed = hashes(keys)
  const rows = keys.map((_, n) => entries.find(hashed[2 * n]!, hashed[2 * n + 1]!))
  return [...keys.keys()].toSorted(
    (a, b) => rows[a]! - rows[b]! || hashed[2 * a]! - hashed[2 * b]! || hashed[2 * a + 1]! - hashed[2 * b + 1]!
  )
}

/**
 * Records that these objects of a set were read just now, in the ledger of its resource. What the set names and the
 * ledger does not know is added. The caller holds the owner's lock.
 */
export const enter = Effect.fn("LedgerReading.enter")(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  set: BackupSet,
  keys: ReadonlyArray<string>
) {
  const owner = Adoption.ownerOf(resource)
  const ledger = yield* Ledger.read(store, owner)
  const { own } = yield* DamageMarking.known(store, resource)
  LedgerRefresh.add(ledger, own, set)
  const hashed = hashes(keys)
  const rows = new Set(keys.map((_, n) => ledger.entries.find(hashed[2 * n]!, hashed[2 * n + 1]!)))
  ledger.entries = moved(ledger.entries, rows, new Set(), yield* Clock.currentTimeMillis)
  yield* Ledger.write(store, owner, ledger).pipe(
    // A run has written one without the lock: these objects are read again.
    Effect.catchReason("ObjectStoreError", "ObjectExists", () => Effect.void)
  )
})
