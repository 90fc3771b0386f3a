import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as RetentionPass from "../../src/backup/RetentionPass.ts"
import * as Drill from "../../src/drill/Drill.ts"
import * as DrillPreflight from "../../src/drill/DrillPreflight.ts"
import * as BackupId from "../../src/identity/BackupId.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as Readers from "../../src/manifest/Readers.ts"
import type { ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { ObjectStoreError, StorageAuthorizationFailed } from "../../src/storage/ObjectStoreError.ts"
import * as Backup from "../backup/world.ts"
import { inTime } from "../restore/world.ts"
import { aDrill, backUp, layer, opened } from "./world.ts"

const owner = aDrill().resource
const start = Date.parse("2026-11-23T12:00:00Z")

const filled = Effect.gen(function* () {
  const { cluster, memory, store } = yield* Backup.world
  yield* TestClock.setTime(start)
  yield* cluster.createTopic("orders")
  yield* cluster.produce("orders", 0, [{ key: "k", value: "v" }])
  return { memory, store, backupId: yield* backUp() }
})

/** The next backup, of which one is kept. */
const next = (hour: number) =>
  Effect.map(
    Backup.attempt(Backup.aRequest(`2026-11-23T${hour}:00:00Z`, { retainedBackups: 1 })),
    ({ retention }) => retention
  )

const isThere = (store: ObjectStoreShape, text: string) => Catalogue.isComplete(store, BackupId.parse(text)!)

const who = "drill of kafka/nightly"
const stays = (backupId: string) =>
  `${backupId} stays for now: ${who} reads it, until ${new Date(start + Readers.longestMillis).toISOString()} at most`

describe("a backup that is beyond those to keep while somebody reads it", () => {
  it.effect("stays until the drill of it is over, and the notes say why", () =>
    Effect.gen(function* () {
      const { backupId, memory, store } = yield* filled
      yield* Effect.gen(function* () {
        const systems = yield* opened()
        const onFact = () => {}
        const prepared = yield* DrillPreflight.prepare(systems, aDrill(), onFact, (id) =>
          Readers.register(store, id, who)
        )
        const { notes, removed } = yield* next(13)
        assert.deepStrictEqual([notes, removed], [[stays(backupId)], []])
        yield* inTime(
          Drill.run(systems, aDrill(), prepared, {
            openPartitions: 3,
            batchBytes: 400,
            leastStoredBytes: 0,
            batchMemoryBytes: 32 * 1024 * 1024,
            patienceMillis: 600_000,
            onAppended: () => {},
            onProven: () => {},
            onFact
          })
        )
      }).pipe(Effect.scoped)
      assert.deepStrictEqual(
        (yield* memory.keys).filter((key) => key.startsWith(BackupKeys.readersFolder)),
        []
      )
      const { notes, removed } = yield* next(14)
      assert.deepStrictEqual(notes, [])
      assert.include(removed, backupId)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("stays as long as the reader renews, and for 24 hours at most", () =>
    Effect.gen(function* () {
      const { backupId, store } = yield* filled
      yield* next(13)
      const backup = yield* backUp(14)
      yield* Readers.register(store, backup, who)
      yield* TestClock.adjust("23 hours")
      yield* next(15)
      assert.isTrue(yield* isThere(store, backup))
      yield* TestClock.adjust("61 minutes")
      yield* RetentionPass.run(store, owner, { keep: 1 }, "run")
      assert.isFalse(yield* isThere(store, backup))
      assert.isFalse(yield* isThere(store, backupId))
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("goes an hour after its reader died, and so does what the reader had written", () =>
    Effect.gen(function* () {
      const { backupId, memory, store } = yield* filled
      // Its end takes nothing back.
      const deaf = { ...store, delete: () => Effect.void }
      yield* Effect.scoped(Readers.register(deaf, backupId, who))
      yield* TestClock.adjust("59 minutes")
      assert.deepStrictEqual((yield* next(13)).notes, [stays(backupId)])
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual((yield* RetentionPass.run(store, owner, { keep: 1 }, "run")).removed, [backupId])
      const documents = Effect.map(memory.keys, (keys) =>
        keys.filter((key) => key.startsWith(BackupKeys.readersFolder))
      )
      assert.lengthOf(yield* documents, 1)
      yield* TestClock.adjust("1 day")
      yield* RetentionPass.run(store, owner, { keep: 1 }, "run")
      assert.deepStrictEqual(yield* documents, [])
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("is read all the same where the store may not be written", () =>
    Effect.gen(function* () {
      const { backupId, memory, store } = yield* filled
      const refused = new ObjectStoreError({
        operation: "put",
        location: store.location,
        reason: new StorageAuthorizationFailed({ detail: "read only", advice: "grant it" })
      })
      const before = yield* memory.keys
      const readOnly = { ...store, put: () => Effect.fail(refused), delete: () => Effect.fail(refused) }
      const exit = yield* Effect.exit(Effect.scoped(Readers.register(readOnly, backupId, who)))
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepStrictEqual(yield* memory.keys, before)
    }).pipe(Effect.provide(layer))
  )

  it.effect("stays whole when its reader comes at any call of the removal, unless the reader finds it gone", () =>
    Effect.gen(function* () {
      const ends = { stayed: 0, went: 0 }
      for (let n = 1; ; n++) {
        const isOver = yield* Effect.gen(function* () {
          const { backupId, memory, store } = yield* filled
          yield* backUp(13)
          const scope = yield* Effect.scope
          const content = (yield* memory.keys).filter((key) => key.startsWith(`${backupId}/topics/`))
          let calls = 0
          let isFound = false
          const comes = Effect.suspend(() =>
            ++calls === n
              ? Scope.provide(Readers.register(store, backupId, who), scope).pipe(
                  Effect.andThen(isThere(store, backupId)),
                  Effect.map((found) => {
                    isFound = found
                  }),
                  Effect.orDie
                )
              : Effect.void
          )
          const disturbed: ObjectStoreShape = {
            ...store,
            put: (key, pieces, options) => Effect.andThen(comes, store.put(key, pieces, options)),
            head: (key) => Effect.andThen(comes, store.head(key)),
            delete: (key) => Effect.andThen(comes, store.delete(key)),
            list: (prefix) => Stream.unwrap(Effect.as(comes, store.list(prefix)))
          }
          const { removed } = yield* RetentionPass.run(disturbed, owner, { keep: 1 }, "run")
          const left = new Set<string>(yield* memory.keys)
          if (isFound) {
            assert.deepStrictEqual([removed, content.filter((key) => !left.has(key))], [[], []], `call ${n}`)
            assert.isTrue(yield* isThere(store, backupId))
            // The next pass knows it again.
            yield* RetentionPass.run(store, owner, { keep: 1 }, "run")
            assert.isTrue(yield* isThere(store, backupId))
            ends.stayed++
          } else if (calls >= n) ends.went++
          return calls < n
        }).pipe(Effect.scoped, Effect.provide(layer))
        if (isOver) break
      }
      assert.isAbove(ends.stayed, 5)
      assert.isAbove(ends.went, 3)
    })
  )
})
