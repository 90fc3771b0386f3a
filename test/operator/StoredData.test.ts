import { describe, expect } from "@effect/vitest"
import { Effect, Result } from "effect"
import * as SpecRequest from "../../src/backup/SpecRequest.ts"
import { BackupId } from "../../src/identity/BackupId.ts"
import * as Adoption from "../../src/manifest/Adoption.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import type * as Damage from "../../src/manifest/Damage.ts"
import * as DamageMarking from "../../src/manifest/DamageMarking.ts"
import * as OwnerLock from "../../src/manifest/OwnerLock.ts"
import * as ManifestParser from "../../src/resource/ManifestParser.ts"
import * as Kind from "../../src/kubernetes/Kind.ts"
import { condition, hourly, metric, purposeOf, setsIn, story, world } from "./world.ts"

/** Two backups by trigger, and what records a reading of their objects as `kafka-backup verify --mark` does. */
const withBackups = Effect.gen(function* () {
  const all = yield* world
  const { advance, backups, kubectl, start } = all
  const replica = yield* start()
  // A run that reads backups again would find that nothing is missing, and one that builds on them would heal them.
  const spec = { suspend: true, incremental: { enabled: false }, verification: { percentPerRun: 0 } }
  yield* kubectl.apply(hourly("hourly", spec))
  for (const token of ["t1", "t2"]) {
    yield* kubectl.trigger("hourly", token)
    yield* advance("1 minute")
  }
  const mark = Effect.fnUntraced(function* (reading: Damage.Reading) {
    const resource = SpecRequest.resource(Result.getOrThrow(ManifestParser.fromServer(yield* kubectl.get("hourly"))))
    const marking = DamageMarking.mark(backups.store, resource, reading)
    return yield* OwnerLock.holding(backups.store, Adoption.ownerOf(resource), "somebody", marking)
  })
  /** The first object of this backup, said to be missing. */
  const damageTo = Effect.fnUntraced(function* (backupId: string) {
    const { manifest } = yield* Catalogue.openById(backups.store, BackupId.make(backupId))
    const { name, partitions } = manifest.topics[0]!
    const { partition_id, segments } = partitions.find(({ segments }) => segments.length > 0)!
    const { end_offset, key, start_offset } = segments[0]!
    const where = { key, topic: name, partition: partition_id, firstOffset: start_offset, lastOffset: end_offset }
    return { ...where, detail: "the object is missing", sinceMillis: 1000 } satisfies Damage.DamagedObject
  })
  const [first = "", second = ""] = setsIn(yield* backups.keys)
  return { ...all, replica, mark, damageTo, first, second }
})

const reasons = (events: ReadonlyArray<{ readonly reason?: string }>) =>
  events.flatMap(({ reason }) => (reason?.startsWith("Backups") ? [reason] : []))

describe("damage that somebody has found", () => {
  story(
    "of the newest backup shows with the next run, and is over when it is found right again",
    Effect.gen(function* () {
      const { advance, damageTo, kubectl, mark, replica, second } = yield* withBackups
      expect(condition(yield* kubectl.status("hourly"), "SetsIntact")).toMatchObject({
        status: "True",
        reason: "NoKnownDamage"
      })
      const object = yield* damageTo(second)
      yield* mark({ found: [object], right: new Set() })
      yield* kubectl.trigger("hourly", "t3")
      yield* advance("1 minute")
      const status = yield* kubectl.status("hourly")
      const third = status.lastBackupId
      expect(status.damage).toMatchObject({ backups: 1, newestBackupId: second, newestWholeBackupId: third })
      const intact = condition(status, "SetsIntact")
      expect(intact).toMatchObject({ status: "False", reason: "BackupsDamaged" })
      expect(intact?.message).toContain(
        `${second}: orders[0] offsets 0-99: the object is missing. Restore from ${third}`
      )
      expect(condition(status, "Verified")).toMatchObject({ status: "True" })
      expect(reasons(yield* kubectl.events)).toEqual(["BackupsDamaged"])
      expect(metric(yield* replica.metrics, "damaged_backups", 'name="hourly"')).toBe(1)

      yield* mark({ found: [], right: new Set([object.key]) })
      yield* kubectl.trigger("hourly", "t4")
      yield* advance("1 minute")
      expect(condition(yield* kubectl.status("hourly"), "SetsIntact")).toMatchObject({ status: "True" })
      expect(reasons(yield* kubectl.events)).toEqual(["BackupsDamaged", "BackupsIntact"])
      expect(metric(yield* replica.metrics, "damaged_backups", 'name="hourly"')).toBe(0)
    })
  )

  story(
    "and that the next run heals is counted by a metric",
    Effect.gen(function* () {
      const { advance, damageTo, kubectl, mark, replica, second } = yield* withBackups
      const healed = Effect.map(replica.metrics, (text) => metric(text, "run_healed_objects_total", 'name="hourly"'))
      expect(yield* healed).toBe(0)
      yield* mark({ found: [yield* damageTo(second)], right: new Set() })
      yield* kubectl.patch("hourly", { spec: { incremental: { enabled: true } } })
      for (const [token, objects] of [
        ["t3", 1],
        ["t4", 1]
      ] as const) {
        yield* kubectl.trigger("hourly", token)
        yield* advance("1 minute")
        expect(yield* healed).toBe(objects)
      }
      expect(condition(yield* kubectl.status("hourly"), "SetsIntact")).toMatchObject({ status: "True" })
    })
  )

  story(
    "is known again from storage after the status was lost, by a listing",
    Effect.gen(function* () {
      const { advance, damageTo, first, kubectl, kubernetes, mark, second } = yield* withBackups
      yield* mark({ found: [yield* damageTo(second)], right: new Set() })
      yield* advance("6 minutes")
      yield* kubernetes.behind.patch(
        Kind.kafkaBackups,
        { namespace: "kafka-backup", name: "hourly" },
        { status: null },
        "status"
      )
      yield* advance("1 minute")
      const status = yield* kubectl.status("hourly")
      expect(condition(status, "StorageListed")).toMatchObject({ status: "True" })
      expect(status.damage).toMatchObject({ backups: 1, newestBackupId: second, newestWholeBackupId: first })
      // The newest backup is the damaged one: nothing that is said of it calls it good.
      expect(status.lastBackupId).toBe(second)
      expect(condition(status, "Verified")).toMatchObject({ status: "False", reason: "SegmentDamaged" })
      expect(condition(status, "Ready")?.message).toContain(`It has been damaged since. Restore from ${first}`)
    })
  )

  story(
    "is known after a prune, too",
    Effect.gen(function* () {
      const { advance, damageTo, first, kubectl, mark, second } = yield* withBackups
      yield* mark({ found: [yield* damageTo(second)], right: new Set() })
      yield* kubectl.patch("hourly", { spec: { retention: { backups: 1 } } })
      yield* advance("1 minute")
      expect((yield* kubectl.jobs).map(purposeOf)).toContain("prune")
      expect((yield* kubectl.status("hourly")).damage).toMatchObject({
        backups: 1,
        newestBackupId: second,
        newestWholeBackupId: first
      })
    })
  )
})
