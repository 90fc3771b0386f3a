import { Effect } from "effect"
import type { RunSuccess } from "../../../src/backup/Run.ts"
import type { RunRequest } from "../../../src/backup/RunRequest.ts"
import { BackupId } from "../../../src/identity/BackupId.ts"
import { isSameOwner } from "../../../src/identity/RunIdentity.ts"
import { ownerOf } from "../../../src/manifest/Adoption.ts"
import * as Damage from "../../../src/manifest/Damage.ts"
import * as Ledger from "../../../src/manifest/Ledger.ts"
import { hashes } from "../../../src/manifest/LedgerEntries.ts"
import * as Sets from "./Sets.ts"
import type { World } from "./World.ts"

/*
 * What holds when a run that nothing disturbed has read stored backups again: the ledger has every object that a kept
 * backup of the resource names, and after a run that has read everything each backup whose manifest is the one that was
 * committed records what is damaged of it, and nothing else.
 */

const own = (world: World) =>
  Effect.map(Sets.complete(world), (all) =>
    all.flatMap(({ set }) => (set !== undefined && isSameOwner(set.facts.identity.owner, world.resource) ? [set] : []))
  )

/** What is recorded as damaged, in whichever backup of the resource. */
export const recorded = Effect.fnUntraced(function* (world: World) {
  const keys = new Set<string>()
  for (const { backupId } of yield* own(world)) {
    for (const { key } of yield* Damage.read(world.store, BackupId.make(backupId))) keys.add(key)
  }
  return keys
})

/** A name that somebody altered is none of the backup's, so nobody must know of it. */
const isNamedIn = (manifest: Uint8Array, key: string): boolean => Buffer.from(manifest).includes(JSON.stringify(key))

export const after = Effect.fnUntraced(function* (
  world: World,
  { verification, verificationNotes }: Pick<RunSuccess, "verification" | "verificationNotes">,
  { percentPerRun: percent = 0 }: RunRequest
) {
  if (percent === 0) return
  if (verification === undefined || verification.isCutShort === true) {
    world.problems.push(`the run does not read again: ${verificationNotes.join("; ")}`)
    return
  }
  // A manifest cannot be read, or there are more backups than one run opens.
  if (verification.remainingRuns === undefined) return
  const { entries } = yield* Ledger.read(world.store, ownerOf(world.resource))
  for (const set of yield* own(world)) {
    const original = world.damaged.get(`${set.backupId}/manifest.json`)?.original
    const keys = set.segments.map(({ key }) => key).filter((key) => original === undefined || isNamedIn(original, key))
    const hashed = hashes(keys)
    const unknown = keys.find((_, n) => entries.find(hashed[2 * n]!, hashed[2 * n + 1]!) === -1)
    if (unknown !== undefined) world.problems.push(`the ledger lacks ${unknown}, which ${set.backupId} names`)
    // Nobody knows from an altered manifest what objects must be; verify tells of it.
    if (percent < 100 || original !== undefined) continue
    const is = new Set((yield* Damage.read(world.store, BackupId.make(set.backupId))).map(({ key }) => key))
    const should = new Set(keys.filter((key) => world.damaged.has(key)))
    for (const key of should) {
      if (!is.has(key)) world.problems.push(`${set.backupId} does not record that ${key} is damaged, which was read`)
    }
    for (const key of is) {
      if (!should.has(key)) world.problems.push(`${set.backupId} still records that ${key} is damaged`)
    }
  }
})
