import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as BackupId from "../../src/identity/BackupId.ts"
import * as Ledger from "../../src/manifest/Ledger.ts"
import * as LedgerBytes from "../../src/manifest/LedgerBytes.ts"
import { hashes } from "../../src/manifest/LedgerEntries.ts"
import * as LedgerUpkeep from "../../src/manifest/LedgerUpkeep.ts"
import { random } from "../segment/arbitraryRecords.ts"

/*
 * A model of sets by reference: each is built on any earlier one or on none, takes over any part of what that one
 * names, and is removed at any time. After each step the ledger has what the kept sets name, from bytes and back.
 */

interface Made extends LedgerUpkeep.KeptSet {
  readonly keys: ReadonlyArray<string>
}

interface Step {
  /** Which set to build on, counted from the newest; beyond them: on none. */
  readonly base: number
  /** Bits: which of the base's objects are taken over. */
  readonly taken: number
  readonly own: number
  /** Bits: which sets are removed afterwards. */
  readonly removed: number
  /** The ledger is lost. */
  readonly isLost: boolean
}

const history = (seed: number): ReadonlyArray<Step> => {
  const next = random(seed)
  const below = (count: number) => Math.floor(next() * count)
  const isBranching = next() < 0.5
  return Array.from({ length: 2 + below(24) }, () => ({
    base: next() < 0.1 ? 1000 : isBranching ? below(5) : 0,
    taken: below(0x10000) | below(0x10000),
    own: below(4),
    removed: next() < 0.6 ? below(0x10000) & below(0x10000) : 0,
    isLost: next() < 0.05
  }))
}

const seeds = Array.from({ length: 150 }, (_, n) => n + 1)

const bytesOf = (key: string) => 10 + (key.length % 7)

const objects = ({ keys }: Made) => keys.map((key) => ({ key, bytes: bytesOf(key), writtenMillis: undefined }))

const enter = (upkeep: LedgerUpkeep.Upkeep, set: Made, isNew: boolean) =>
  LedgerUpkeep.absorb(upkeep, set, objects(set), hashes(set.keys), isNew)

const named = (sets: ReadonlyArray<Made>) => [...new Set(sets.flatMap(({ keys }) => keys))].toSorted()

/** One run: its set, and as many openings as it may have. Returns how many it used. Some manifests nobody can read. */
const refresh = (
  ledger: Ledger.Ledger,
  kept: ReadonlyArray<Made>,
  made: Made | undefined,
  most: number,
  isUnreadable: (set: Made) => boolean = () => false
) => {
  const upkeep = LedgerUpkeep.begin(ledger, kept)
  if (made !== undefined) enter(upkeep, made, true)
  let opened = 0
  for (; opened < most; opened++) {
    const next = LedgerUpkeep.next(upkeep)
    if (next === undefined) break
    const set = kept.find(({ backupId }) => backupId === next.backupId)!
    if (isUnreadable(set)) LedgerUpkeep.fail(upkeep, set)
    else enter(upkeep, set, false)
  }
  LedgerUpkeep.end(upkeep)
  return { opened, unknown: LedgerUpkeep.unknown(upkeep).length }
}

const inLedger = ({ entries }: Ledger.Ledger, keys: ReadonlyArray<string>): ReadonlyArray<string> => {
  const hashed = hashes(keys)
  return keys.filter((_, n) => entries.find(hashed[2 * n]!, hashed[2 * n + 1]!) !== -1)
}

const throughBytes = (ledger: Ledger.Ledger): Ledger.Ledger => {
  const content = Result.getOrThrow(LedgerBytes.decode(Buffer.concat(LedgerBytes.encode(ledger))))
  return { number: ledger.number, ...content, sets: [...content.sets] }
}

const aSet = (number: number, base: Made | undefined, taken: number, own: number): Made => {
  const backupId = BackupId.forSlot("nightly", Date.parse("2026-01-01T00:00:00Z") + number * 3_600_000)
  const reused = (base?.keys ?? []).filter((_, n) => ((taken >> (n % 16)) & 1) === 1)
  const keys = [...reused, ...Array.from({ length: own }, (_, n) => `${backupId}/topics/t/${n}`)]
  const references = [...new Set(reused.map((key) => key.split("/", 1)[0]!))].filter((folder) => folder !== backupId)
  return { backupId, completedMillis: number * 3_600_000, base: base?.backupId, references, keys }
}

/** Carries out the steps; `check` is told after each run. */
const play = (
  steps: ReadonlyArray<Step>,
  most: number,
  check: (ledger: Ledger.Ledger, kept: ReadonlyArray<Made>, found: ReturnType<typeof refresh>, every: string[]) => void
) => {
  let ledger = Ledger.begin()
  let kept: ReadonlyArray<Made> = []
  const every = new Set<string>()
  for (const [n, { base, isLost, own, removed, taken }] of steps.entries()) {
    if (isLost) ledger = Ledger.begin()
    const made = aSet(n + 1, kept.at(-1 - base), taken, own)
    for (const key of made.keys) every.add(key)
    kept = kept.concat(made)
    const found = refresh(ledger, kept, made, most)
    check(ledger, kept, found, [...every])
    ledger = throughBytes(ledger)
    kept = kept.filter((set, index) => set === made || ((removed >> (index % 16)) & 1) === 0)
  }
  return { ledger, kept, every: [...every] }
}

describe("LedgerUpkeep", () => {
  it("has exactly what the kept sets name, however they are built on each other and removed", () => {
    for (const seed of seeds) {
      play(history(seed), Infinity, (ledger, kept, found, every) => {
        assert.strictEqual(found.unknown, 0, `seed ${seed}`)
        assert.deepStrictEqual(inLedger(ledger, every).toSorted(), named(kept), `seed ${seed}`)
        assert.strictEqual(ledger.entries.count, named(kept).length, `seed ${seed}`)
        // Each object has a kept set that names it.
        const keys = named(kept)
        const hashed = hashes(keys)
        for (const [n, key] of keys.entries()) {
          const row = ledger.entries.find(hashed[2 * n]!, hashed[2 * n + 1]!)
          const { id } = ledger.sets[ledger.entries.set[row]!]!
          assert.isTrue(kept.find(({ backupId }) => backupId === id)?.keys.includes(key))
          assert.strictEqual(ledger.entries.size[row], bytesOf(key))
        }
      })
    }
  })

  it("has nothing else, says that sets are unknown while it lacks something, and has all a few runs later", () => {
    for (const seed of seeds) {
      const most = 1 + (seed % 2)
      const { every, kept, ledger } = play(history(seed), most, (now, sets, { opened, unknown }, keys) => {
        assert.isAtMost(opened, most)
        const there = inLedger(now, keys)
        const all = named(sets)
        for (const key of there) assert.isTrue(all.includes(key))
        if (unknown === 0) assert.deepStrictEqual(there.toSorted(), all, `seed ${seed}`)
      })
      for (let runs = 0; runs < 2 * kept.length + 2; runs++) {
        if (refresh(ledger, kept, undefined, most).unknown === 0) break
      }
      assert.deepStrictEqual(inLedger(ledger, every).toSorted(), named(kept), `seed ${seed}`)
    }
  })

  /** A chain of `count` sets, each with all that the one before it names, and one object more. */
  const chain = (count: number): ReadonlyArray<Made> => {
    const sets: Array<Made> = []
    for (let n = 0; n < count; n++) sets.push(aSet(n + 1, sets.at(-1), 0xffff, 1))
    return sets
  }

  it("opens no manifest where the oldest of a chain is removed, and one where a later one is", () => {
    const sets = chain(30)
    const ledger = Ledger.begin()
    for (const [n, made] of sets.entries()) {
      assert.deepStrictEqual(refresh(ledger, sets.slice(0, n + 1), made, 10), { opened: 0, unknown: 0 })
    }
    // The last one lost what the one before it names: it was joined.
    const joined = { ...aSet(31, sets.at(-1), 0, 1), references: [] }
    assert.strictEqual(refresh(ledger, [...sets, joined], joined, 10).opened, 0)
    assert.strictEqual(refresh(ledger, [...sets.slice(1), joined], undefined, 10).opened, 0)
    const without = [...sets.slice(1, -1), joined]
    assert.deepStrictEqual(refresh(ledger, without, undefined, 10), { opened: 1, unknown: 0 })
    assert.strictEqual(ledger.entries.count, named(without).length)
  })

  it("knows who was built on whom when sets in between are gone", () => {
    const sets = chain(30)
    const joined = { ...aSet(31, sets.at(-1), 0, 1), references: [] }
    const thinned = [...sets.filter((_, n) => n % 3 === 0 || n === 29), joined]
    const ledger = Ledger.begin()
    for (const [n, made] of sets.entries()) refresh(ledger, sets.slice(0, n + 1), made, 10)
    refresh(ledger, thinned, joined, 10)
    const later = throughBytes(ledger)
    const left = thinned.filter(({ backupId }) => backupId !== sets[29]!.backupId)
    assert.deepStrictEqual(refresh(later, left, undefined, 10), { opened: 1, unknown: 0 })
    assert.strictEqual(later.entries.count, named(left).length)
  })

  /** When each of these objects was read last, as the ledger says. */
  const secondsOf = ({ entries }: Ledger.Ledger, keys: ReadonlyArray<string>) => {
    const hashed = hashes(keys)
    return keys.map((_, n) => entries.seconds[entries.find(hashed[2 * n]!, hashed[2 * n + 1]!)])
  }

  it("keeps the objects of a set, and their times, while its manifest cannot be read", () => {
    const sets = chain(5)
    const [, , older, unreadable, newest] = sets as [Made, Made, Made, Made, Made]
    const ledger = Ledger.begin()
    for (const [n, made] of sets.entries()) refresh(ledger, sets.slice(0, n + 1), made, 10)
    ledger.entries.seconds.fill(9_000_000)
    const left = sets.filter((set) => set !== newest)
    // It is tried, and then the set that it was built on, which names all but the newest object.
    assert.deepStrictEqual(
      refresh(ledger, left, undefined, 10, (set) => set === unreadable),
      { opened: 2, unknown: 0 }
    )
    const idOf = (key: string) => {
      const [low, high] = hashes([key]) as unknown as [number, number]
      return ledger.sets[ledger.entries.set[ledger.entries.find(low, high)]!]!.id
    }
    assert.deepStrictEqual(unreadable.keys.map(idOf), [
      ...older.keys.map(() => older.backupId as string),
      unreadable.backupId
    ])
    const later = throughBytes(ledger)
    refresh(later, left, undefined, 10)
    assert.strictEqual(later.entries.count, unreadable.keys.length)
    assert.deepStrictEqual(
      secondsOf(later, unreadable.keys),
      unreadable.keys.map(() => 9_000_000)
    )
  })

  it("loses no object that a kept set names, and no time, whichever manifests cannot be read", () => {
    for (const seed of seeds) {
      const next = random(seed)
      let ledger = Ledger.begin()
      let kept: ReadonlyArray<Made> = []
      const every = new Set<string>()
      for (const [n, { base, own, removed, taken }] of history(seed).entries()) {
        const made = aSet(n + 1, kept.at(-1 - base), taken, own)
        for (const key of made.keys) every.add(key)
        kept = kept.concat(made)
        const before = inLedger(ledger, named(kept))
        const times = secondsOf(ledger, before)
        const unreadable = new Set(kept.filter(() => next() < 0.4))
        refresh(ledger, kept, made, Infinity, (set) => unreadable.has(set))
        ledger = throughBytes(ledger)
        assert.deepStrictEqual(secondsOf(ledger, before), times, `seed ${seed}`)
        ledger.entries.seconds.fill(9_000_000 + n, 0, Math.floor(ledger.entries.count / 2))
        kept = kept.filter((set, index) => set === made || ((removed >> (index % 16)) & 1) === 0)
      }
      refresh(ledger, kept, undefined, Infinity)
      assert.deepStrictEqual(inLedger(ledger, [...every]).toSorted(), named(kept), `seed ${seed}`)
    }
  })

  it("adds what is new at the back, and what it did not know where it was written", () => {
    const [first, second, third] = chain(3) as [Made, Made, Made]
    const ledger = Ledger.begin()
    refresh(ledger, [second], second, 0)
    refresh(ledger, [second, third], third, 0)
    const { entries } = ledger
    const last = third.keys.at(-1)!
    const [hash] = [hashes([last])]
    assert.strictEqual(entries.find(hash[0]!, hash[1]!), entries.count - 1)
    const other: Made = { ...aSet(0, undefined, 0, 2), completedMillis: 1000 }
    refresh(ledger, [other, first, second, third], undefined, 1)
    assert.deepStrictEqual(
      [0, 1].map((row) => ledger.sets[ledger.entries.set[row]!]!.id),
      [other.backupId, other.backupId]
    )
  })
})

describe("LedgerBytes", () => {
  const ledger = Ledger.begin(0, 1_800_000_000_000)
  const sets: ReadonlyArray<Made> = [aSet(1, undefined, 0, 3)]
  refresh(ledger, sets, sets[0]!, 0)
  ledger.run = { backupId: sets[0]!.backupId, objects: 2, bytes: 20 }
  ledger.totals = [30, 20]
  const bytes = Buffer.concat(LedgerBytes.encode(ledger))

  it("keeps every column, the sets and the run", () => {
    const { beganMillis, entries, run, sets: found, totals } = Result.getOrThrow(LedgerBytes.decode(bytes))
    assert.deepStrictEqual(
      [run, found, totals, beganMillis],
      [ledger.run, ledger.sets, ledger.totals, 1_800_000_000_000]
    )
    for (const column of ["low", "high", "size", "seconds", "set", "folder"] as const) {
      assert.deepStrictEqual([...entries[column].subarray(0, 3)], [...ledger.entries[column].subarray(0, 3)], column)
    }
  })

  it("refuses a ledger with any bit changed, and any start of one", () => {
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at]! ^= 1 << (at % 8)
      assert.isTrue(Result.isFailure(LedgerBytes.decode(changed)), `${at}`)
      assert.isTrue(Result.isFailure(LedgerBytes.decode(bytes.subarray(0, at))), `${at}`)
    }
  })
})
