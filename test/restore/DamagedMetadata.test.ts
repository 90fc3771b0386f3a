import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as DescribedMetadata from "../../src/cli/DescribedMetadata.ts"
import * as VerifyAdvice from "../../src/cli/VerifyAdvice.ts"
import * as BackupId from "../../src/identity/BackupId.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as Verification from "../../src/manifest/Verification.ts"
import * as AccessPreflight from "../../src/restore/AccessPreflight.ts"
import * as BackupChoice from "../../src/restore/BackupChoice.ts"
import * as Restore from "../../src/restore/Restore.ts"
import { RestoreError } from "../../src/restore/RestoreError.ts"
import { ObjectKey } from "../../src/storage/ObjectStore.ts"
import * as Backup from "../backup/world.ts"
import { restorable } from "./restorable.ts"
import { aRestore, inTime, layer, restore, systems, worlds } from "./world.ts"

const everything = { acls: true, users: true, quotas: true }

const backUp = (slot: string) =>
  Effect.map(Backup.attempt(Backup.aRequest(slot, { clusterMetadata: everything })), ({ facts }) => facts.backupId)

const keyOf = (backupId: string) => ObjectKey.make(`${backupId}/cluster-metadata.json`)

/** A backup with one ACL and a quota, of which one byte of their document was changed since. */
const tampered = Effect.gen(function* () {
  const { source } = yield* worlds
  yield* source.createTopic("orders")
  yield* source.produce("orders", 0, [{ key: "k", value: "v" }])
  yield* source.addAcls({
    resource: "topic",
    name: "orders",
    pattern: "literal",
    principal: "User:alice",
    host: "*",
    operation: "Read",
    permission: "Allow"
  })
  yield* source.setQuota({ entity: [{ type: "user", name: "alice" }], values: { consumer_byte_rate: 1024 } })
  const backupId = yield* backUp("2026-11-23T12:00:00Z")
  const { memory } = yield* Backup.world
  yield* memory.tamper(keyOf(backupId), (bytes) =>
    Buffer.from(Buffer.from(bytes).toString("utf8").replace("alice", "alicf"))
  )
  return { backupId, memory }
})

const open = (backupId: string) =>
  Effect.flatMap(worlds, ({ store }) => Catalogue.openById(store, BackupId.parse(backupId)!))

describe("a backup whose document of ACLs and quotas is damaged", () => {
  it.effect("is restored whole where neither is asked for, and a note says what is damaged", () =>
    Effect.gen(function* () {
      const { backupId } = yield* tampered
      const { target } = yield* worlds
      const { plan } = yield* inTime(restore(aRestore(backupId)))
      assert.lengthOf(yield* target.committed("orders", 0), 1)
      assert.include(
        plan.notes,
        `backup ${backupId} is damaged where this restore reads nothing: ${backupId}/cluster-metadata.json is not as it was committed. Records are not affected; ACLs and quotas cannot be restored from it`
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("is refused as damaged, once, where ACLs or quotas are asked for, with what is possible without", () =>
    Effect.gen(function* () {
      const { backupId, memory } = yield* tampered
      const opened = yield* systems
      for (const detail of ["is not as it was committed", "is not there"]) {
        if (detail === "is not there") yield* memory.store.delete(keyOf(backupId))
        for (const asked of [{ createsAcls: true }, { createsQuotas: true }]) {
          const refused = yield* Effect.flip(inTime(Restore.prepare(opened, aRestore(backupId, asked))))
          assert.instanceOf(refused, RestoreError)
          assert.strictEqual(refused.reason._tag, "PreflightFailed")
          assert.deepStrictEqual("objections" in refused.reason && refused.reason.objections, [
            {
              reason: "BackupDamaged",
              message: `backup ${backupId} is damaged: ${backupId}/cluster-metadata.json ${detail}`,
              advice:
                "leave out acls and quotas: the records of this backup can be restored without cluster-metadata.json. For ACLs and quotas put it back from an earlier version in the bucket, or restore another backup"
            }
          ])
        }
      }
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("is refused in the same way where the document is lost after the look at the backup", () =>
    Effect.gen(function* () {
      const { backupId } = yield* tampered
      const opened = yield* systems
      const { plan } = yield* Restore.planOf(opened.store, aRestore(backupId))
      const asked = aRestore(backupId, { createsAcls: true })
      const { objections } = yield* AccessPreflight.prepare(opened, asked, yield* open(backupId), plan)
      assert.deepStrictEqual(
        objections.map(({ reason }) => reason),
        ["BackupDamaged"]
      )
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("is still the newest to a restore that chooses, and passed over by one that asks for ACLs", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      yield* source.createTopic("early")
      const earlier = yield* backUp("2026-11-23T11:00:00Z")
      const { backupId } = yield* tampered
      const opened = yield* systems
      assert.strictEqual((yield* BackupChoice.resolve(opened, restorable()))?.backupId, backupId)
      const asking = yield* BackupChoice.resolve(opened, restorable({ acls: "Create" }))
      assert.strictEqual(asking?.backupId, earlier)
      assert.include(asking?.why, `passed over, because their manifest, or another document, is damaged: ${backupId}`)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("is named by describe beside what the run captured, also when the document is gone", () =>
    Effect.gen(function* () {
      const { backupId, memory } = yield* tampered
      const { store } = yield* worlds
      const set = yield* open(backupId)
      const shown = Effect.map(DescribedMetadata.lost(store, set), (why) =>
        DescribedMetadata.facts(set.facts?.clusterMetadata, why)
      )
      const lost = `now lost: ${backupId}/cluster-metadata.json cannot be read: it is not`
      assert.deepStrictEqual(yield* shown, [
        ["ACLs", `1, ${lost} as it was committed`],
        ["SCRAM users", "0"],
        ["Client quotas", `1, ${lost} as it was committed`]
      ])
      yield* memory.store.delete(keyOf(backupId))
      assert.deepStrictEqual((yield* shown)[0], ["ACLs", `1, ${lost} there`])
    }).pipe(Effect.provide(layer))
  )

  it.effect("is told by verify with advice of its own, which names no offsets", () =>
    Effect.gen(function* () {
      const { backupId } = yield* tampered
      const { store } = yield* worlds
      const found = yield* Verification.verify(store, yield* open(backupId), "records")
      assert.isFalse(Verification.isWhole(found))
      assert.strictEqual(VerifyAdvice.damaged(found), "metadata")
      assert.include(VerifyAdvice.advice.metadata, "a restore without acls and quotas does not need")
    }).pipe(Effect.provide(layer))
  )
})

describe("the advice of verify", () => {
  const problem = { topic: "orders", partition: 0, firstOffset: 0, lastOffset: 1, key: "x", detail: "is missing" }
  const backupId = BackupId.parse("nightly-20261123-120000")!
  const broken = (...names: ReadonlyArray<string>) => names.map((key) => ({ key, detail: "is not there" }))
  const metadata = `${backupId}/cluster-metadata.json`

  it("speaks of offsets only where some are named", () => {
    const of = (problems: ReadonlyArray<typeof problem>, ...names: ReadonlyArray<string>) =>
      VerifyAdvice.damaged({ backupId, problems, broken: broken(...names) })
    assert.strictEqual(of([problem], metadata), "records")
    assert.strictEqual(of([], metadata, `${backupId}/kb-meta.json`), "documents")
    assert.strictEqual(of([], metadata), "metadata")
    assert.include(VerifyAdvice.advice.records, "offsets named above")
    assert.notInclude(VerifyAdvice.advice.documents + VerifyAdvice.advice.metadata, "offsets")
  })
})
