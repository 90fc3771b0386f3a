import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as Seal from "../../src/manifest/Seal.ts"
import * as SealedJson from "../../src/manifest/SealedJson.ts"
import { SetFacts } from "../../src/manifest/SetFacts.ts"
import * as BackupId from "../../src/identity/BackupId.ts"
import { slotText } from "../../src/identity/RunIdentity.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { aRequest, attempt, fill, layer, world } from "./world.ts"

/** Counts what is read: calls by kind, bytes, and the manifests that were opened. */
const counting = (store: ObjectStoreShape) => {
  const read = { calls: 0, bytes: 0, manifests: new Set<string>() }
  const met = (key: string) => {
    read.calls++
    if (key.endsWith("/manifest.json")) read.manifests.add(key)
  }
  const counted: ObjectStoreShape = {
    ...store,
    get: (key) =>
      Effect.tap(store.get(key), (bytes) =>
        Effect.sync(() => {
          met(key)
          read.bytes += bytes.byteLength
        })
      ),
    read: (key) =>
      Stream.suspend(() => {
        met(key)
        return Stream.tap(store.read(key), (piece) => Effect.sync(() => (read.bytes += piece.byteLength)))
      }),
    head: (key) => Effect.suspend(() => (read.calls++, store.head(key))),
    list: (prefix) => Stream.suspend(() => (read.calls++, store.list(prefix))),
    folders: Stream.suspend(() => (read.calls++, store.folders))
  }
  return { store: counted, read }
}

/** An older whole backup that holds what `from` holds, `hours` before it. */
const clone = Effect.fnUntraced(function* (store: ObjectStoreShape, from: string, hours: number) {
  const { facts, manifest } = yield* Catalogue.open(store, from)
  if (facts === undefined) throw new Error("a backup of this program has facts")
  const slotMillis = Date.parse(facts.identity.slot) - hours * 3_600_000
  const backupId = BackupId.forSlot(facts.identity.owner.name, slotMillis)
  const here = <A>(value: A): A => JSON.parse(JSON.stringify(value).replaceAll(from, backupId)) as A
  const copied = here(manifest)
  for (const key of Object.keys(manifest.kb_documents ?? {}).filter((name) => name === "claim.json")) {
    yield* store.put(ObjectKey.make(`${backupId}/${key}`), [yield* store.get(ObjectKey.make(`${from}/${key}`))])
  }
  for (const { partitions } of manifest.topics) {
    for (const { key } of partitions.flatMap(({ segments }) => segments)) {
      yield* store.put(ObjectKey.make(here(key)), [yield* store.get(ObjectKey.make(key))])
    }
  }
  const sealed = SealedJson.seal(SetFacts, {
    ...here(facts),
    identity: { ...facts.identity, slot: slotText(slotMillis) },
    startedMillis: facts.startedMillis - hours * 3_600_000,
    completedMillis: facts.completedMillis - hours * 3_600_000,
    manifestSha256: Seal.manifestSha256(copied)
  })
  yield* store.put(ObjectKey.make(`${backupId}/kb-meta.json`), [sealed])
  const text = Seal.manifestText({ ...copied, kb_documents: { "kb-meta.json": Seal.sha256(sealed) } })
  yield* store.put(ObjectKey.make(`${backupId}/manifest.json`), [Buffer.from(text)])
})

interface Counted {
  readonly calls: number
  readonly bytes: number
  readonly manifests: ReadonlySet<string>
}

/**
 * What a run reads that makes its backup beside `kept` others and removes the oldest of them. With `isHeldBack`, one
 * more stays because it holds a topic that all others lack.
 */
const costOf = (kept: number, isHeldBack: boolean): Effect.Effect<Counted> =>
  Effect.gen(function* () {
    const { cluster, store } = yield* world
    yield* fill(cluster)
    const request = (hour: string) =>
      aRequest(`2026-11-23T${hour}:00:00Z`, { topics: ["pay*", "ord*"], retainedBackups: kept })
    if (isHeldBack) {
      const { facts } = yield* attempt(request("00"))
      yield* clone(store, facts.backupId, 5000)
      yield* store.list(`${facts.backupId}/`).pipe(Stream.runForEach(({ key }) => store.delete(key)))
    }
    yield* cluster.deleteTopic("orders")
    const first = yield* attempt(request("01"))
    for (let hours = 1; hours < kept; hours++) yield* clone(store, first.facts.backupId, hours)
    // Reads each backup once.
    const second = yield* attempt(request("02"))
    assert.deepStrictEqual([second.retention.removed.length, second.retention.notes], [1, []])
    const counted = counting(store)
    const { retention } = yield* attempt(request("03"), { store: counted.store })
    const stay = kept + (isHeldBack ? 1 : 0)
    assert.deepStrictEqual(
      [retention.kept.length, retention.heldBack.length, retention.removed.length, retention.notes, retention.blocked],
      [stay, stay - kept, 1, [], []]
    )
    return counted.read
  }).pipe(Effect.provide(layer), Effect.orDie)

describe("What a run reads", () => {
  it.live.each([
    ["and each holds the same", false],
    ["and one of them is held back", true]
  ] as const)("does not grow with the backups that are kept, but for the index, %s", ([, isHeldBack]) =>
    Effect.gen(function* () {
      const five = yield* costOf(5, isHeldBack)
      const twelve = yield* costOf(12, isHeldBack)
      const many = yield* costOf(500, isHeldBack)
      assert.isAtMost(five.calls, twelve.calls)
      assert.strictEqual(many.calls, twelve.calls)
      assert.strictEqual(many.manifests.size, twelve.manifests.size)
      assert.isAtMost(many.manifests.size, 11)
      assert.isAtMost(many.bytes - twelve.bytes, (500 - 12) * 500)
    })
  )
})
