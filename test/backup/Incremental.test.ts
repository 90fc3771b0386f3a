import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Result, Stream } from "effect"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as ManifestFile from "../../src/manifest/ManifestFile.ts"
import * as SealedJson from "../../src/manifest/SealedJson.ts"
import { fullReads, SetFacts } from "../../src/manifest/SetFacts.ts"
import * as SetRemoval from "../../src/manifest/SetRemoval.ts"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import type { KafkaSourceShape } from "../../src/kafka/KafkaSource.ts"
import { BackupId } from "../../src/identity/BackupId.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { damageOf, ids, incremental, slots } from "./stories.ts"
import { aRequest, assertHoldsAll, attempt, dyingAt, fill, layer, someTopics, storedRecords, world } from "./world.ts"

const more = (cluster: InMemoryCluster, n = 1) =>
  Effect.forEach([0, 2], (partition) =>
    cluster.produce(
      "orders",
      partition,
      Array.from({ length: 10 * n }, (_, i) => ({ key: `new-${i}`, value: `new value ${partition} ${i} `.repeat(8) }))
    )
  )

const partitionOf = (facts: SetFacts, topic: string, partition = 0) =>
  facts.topics.find(({ name }) => name === topic)!.partitions[partition]!

const memoryKeys = Effect.flatMap(world, ({ memory }) => memory.keys)

/** The facts as a version wrote them that knew no epochs, references and bases. */
const asBefore = Effect.fnUntraced(function* (store: ObjectStoreShape, backupId: string) {
  const key = ObjectKey.make(`${backupId}/kb-meta.json`)
  const opened = SealedJson.open(SetFacts, yield* store.get(key))
  const { references: _references, ...facts } = Result.getOrThrow(opened)
  const older: SetFacts = {
    ...facts,
    topics: facts.topics.map((topic) => ({
      ...topic,
      partitions: topic.partitions.map(({ leaderEpoch: _epoch, ...partition }) => partition)
    }))
  }
  yield* store.put(key, [SealedJson.seal(SetFacts, older)])
})

/** The backup as version 0.1 left it: without seals, attempts, fingerprints, and all that was added to facts since. */
const asFirst = Effect.fnUntraced(function* (store: ObjectStoreShape, backupId: BackupId) {
  const { kb_documents: _documents, ...manifest } = JSON.parse(
    Buffer.from(yield* store.get(BackupKeys.manifest(backupId))).toString()
  )
  yield* store.put(BackupKeys.manifest(backupId), [Buffer.from(JSON.stringify(manifest))])
  yield* asBefore(store, backupId)
  const opened = SealedJson.open(SetFacts, yield* store.get(BackupKeys.facts(backupId)))
  const {
    attempt: _attempt,
    full: _full,
    manifestSha256: _sha256,
    selection: _selection,
    ...facts
  } = Result.getOrThrow(opened)
  const { newRecords: _records, newStoredBytes: _bytes, ...totals } = facts.totals
  const topics = facts.topics.map((topic) => ({
    ...topic,
    partitions: topic.partitions.map(({ largestRecordBytes: _largest, ...partition }) => partition)
  }))
  yield* store.put(BackupKeys.facts(backupId), [SealedJson.seal(SetFacts, { ...facts, totals, topics })])
})

describe("an incremental backup", () => {
  it.live("takes over what the one before it holds, stores what is new, and is a whole backup", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* fill(cluster)
      const first = yield* attempt(incremental(slots[0]))
      assert.deepStrictEqual([first.facts.base, first.facts.full], [undefined, "NoEarlierBackup"])
      yield* assertHoldsAll(cluster, store, ids[0], someTopics)
      yield* more(cluster)
      const { facts } = yield* attempt(incremental(slots[1]))
      assert.strictEqual(facts.base?.backupId, ids[0])
      assert.strictEqual(facts.base?.manifestSha256, first.facts.manifestSha256)
      yield* assertHoldsAll(cluster, store, ids[1], someTopics)
      assert.deepStrictEqual(yield* damageOf(store, ids[1]), [])
      assert.deepStrictEqual(
        [facts.totals.newRecords, facts.totals.records],
        [20, first.facts.totals.records + 20],
        "what is new, and all"
      )
      assert.isBelow(facts.totals.newStoredBytes!, facts.totals.storedBytes / 5)
      const own = (yield* memory.keys).filter((key) => key.startsWith(`${ids[1]}/topics/`))
      assert.strictEqual(own.length, 2)
      assert.deepStrictEqual(facts.references, [
        { folder: ids[0], objects: first.facts.totals.segments, bytes: first.facts.totals.storedBytes }
      ])
      const { leaderEpoch, reused, until } = partitionOf(facts, "orders", 1)
      assert.deepInclude(reused, { from: 0, until, records: 240 })
      assert.strictEqual(leaderEpoch, 0)
      assert.strictEqual(facts.totals.payloadBytes > first.facts.totals.payloadBytes, true)
      assert.isUndefined(partitionOf(facts, "idle").full)
    }).pipe(Effect.provide(layer))
  )

  it.live("has a plan that versions without incremental backups refuse, where it builds on another", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(incremental(slots[0]))
      yield* attempt(incremental(slots[1]))
      const versions = yield* Effect.forEach([ids[0], ids[1]], (id) =>
        Effect.map(store.get(BackupKeys.plan(id)), (bytes) => {
          const { base, version } = JSON.parse(Buffer.from(bytes).toString()).content
          return [base !== undefined, version]
        })
      )
      assert.deepStrictEqual(versions, [
        [false, 1],
        [true, 2]
      ])
    }).pipe(Effect.provide(layer))
  )

  it.live("builds on one that built on another, and names the objects of both", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(incremental(slots[0]))
      yield* more(cluster)
      yield* attempt(incremental(slots[1]))
      yield* more(cluster, 2)
      const { facts } = yield* attempt(incremental(slots[2]))
      assert.strictEqual(facts.base?.backupId, ids[1])
      assert.deepStrictEqual(
        facts.references?.map(({ folder }) => folder),
        [ids[0], ids[1]]
      )
      assert.strictEqual(facts.sinceFull, 2)
      assert.strictEqual(facts.totals.newRecords, 40)
      yield* assertHoldsAll(cluster, store, ids[2], someTopics)
      assert.deepStrictEqual(yield* damageOf(store, ids[2]), [])
    }).pipe(Effect.provide(layer))
  )

  it.live("reads nothing and stores no segment where nothing is new", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      const first = yield* attempt(incremental(slots[0]))
      const { facts } = yield* attempt(incremental(slots[1]))
      assert.deepStrictEqual(
        [facts.totals.newRecords, facts.totals.records, facts.totals.payloadBytes],
        [0, first.facts.totals.records, first.facts.totals.payloadBytes]
      )
      yield* assertHoldsAll(cluster, store, ids[1], someTopics)
    }).pipe(Effect.provide(layer))
  )

  it.live("reads in full what is not provably the same, says why, and holds what Kafka holds", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      for (const name of ["recreated", "replaced", "shorter", "kept"]) {
        yield* cluster.createTopic(name)
        for (let i = 0; i < 4; i++) yield* cluster.produce(name, 0, [{ value: `${name} ${i}` }, { value: "x" }])
      }
      yield* cluster.createTopic("tombstones", {
        configs: { "cleanup.policy": "compact", "delete.retention.ms": "0" }
      })
      yield* cluster.produce("tombstones", 0, [{ key: "k", value: "v" }])
      yield* attempt(incremental(slots[0]))
      yield* cluster.createTopic("recreated")
      for (let i = 0; i < 5; i++) yield* cluster.produce("recreated", 0, [{ value: `again ${i}` }, { value: "x" }])
      // Records were lost, and others have their offsets now: nothing but the epoch tells.
      yield* cluster.truncate("replaced", 0, 4)
      for (let i = 0; i < 5; i++) yield* cluster.produce("replaced", 0, [{ value: `other ${i}` }, { value: "x" }])
      yield* cluster.truncate("shorter", 0, 4)
      yield* cluster.addPartitions("idle", 3)
      yield* cluster.produce("idle", 2, [{ value: "first" }])
      yield* cluster.createTopic("added")
      yield* cluster.produce("added", 0, [{ value: "first" }])
      const { facts } = yield* attempt(incremental(slots[1]))
      const why = (topic: string, partition = 0) => partitionOf(facts, topic, partition).full
      assert.deepStrictEqual(
        {
          recreated: why("recreated"),
          replaced: why("replaced"),
          shorter: why("shorter"),
          tombstones: why("tombstones"),
          added: why("added"),
          "idle/2": why("idle", 2),
          kept: why("kept"),
          orders: why("orders")
        },
        {
          recreated: "TopicRecreated",
          replaced: "LogReplaced",
          shorter: "EndWentBack",
          tombstones: "DeletionsMayBeGone",
          added: "TopicNew",
          "idle/2": "PartitionNew",
          kept: undefined,
          orders: undefined
        }
      )
      yield* assertHoldsAll(cluster, store, ids[1], {
        ...someTopics,
        idle: 3,
        recreated: 1,
        replaced: 1,
        shorter: 1,
        tombstones: 1,
        added: 1,
        kept: 1
      })
      assert.deepStrictEqual(yield* damageOf(store, ids[1]), [])
    }).pipe(Effect.provide(layer))
  )

  it.live("reads everything where nobody may say which topics are compacted, or another cluster is there now", () =>
    Effect.gen(function* () {
      const { cluster } = yield* world
      yield* fill(cluster)
      yield* attempt(incremental(slots[0]))
      yield* cluster.deny("DescribeConfigs")
      const { facts } = yield* attempt(incremental(slots[1]))
      assert.strictEqual(partitionOf(facts, "orders").full, "CleanupUnknown")
      assert.isUndefined(facts.base)
      assert.include(facts.notes.join("\n"), "nobody knows which topics are compacted")
      yield* cluster.allow("DescribeConfigs")
      const asked = aRequest(slots[2], { incremental: {} })
      const identity = { ...asked.identity, trigger: "full-please" }
      const again = yield* attempt({ ...asked, identity })
      assert.strictEqual(again.facts.full, "FullAsked")
    }).pipe(Effect.provide(layer))
  )

  it.live("reads no other topic in full for one whose configuration nobody may read", () =>
    Effect.gen(function* () {
      const { cluster } = yield* world
      yield* fill(cluster)
      yield* attempt(incremental(slots[0]))
      yield* cluster.deny("DescribeConfigs", "payments")
      const { facts } = yield* attempt(incremental(slots[1]))
      assert.deepStrictEqual(
        ["payments", "orders"].map((topic) => partitionOf(facts, topic).full),
        ["CleanupUnknown", undefined]
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("does not tell the first records of a partition as read again", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(incremental(slots[0]))
      yield* cluster.produce("idle", 1, [{ value: "the first" }])
      const { facts } = yield* attempt(incremental(slots[1]))
      assert.deepStrictEqual(fullReads(facts), [])
      assert.strictEqual(facts.totals.newRecords, 1)
      yield* assertHoldsAll(cluster, store, ids[1], someTopics)
    }).pipe(Effect.provide(layer))
  )

  it.live("keeps a segment that begins below the log's start, and leaves out what lies wholly below", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(incremental(slots[0]))
      const before = (yield* Catalogue.open(store, ids[0])).manifest.topics.find(({ name }) => name === "orders")!
      const cut = before.partitions[0]!.segments[1]!
      const start = cut.start_offset + 3
      yield* cluster.deleteRecordsBefore("orders", 0, start)
      yield* cluster.deleteRecordsBefore("payments", 0, 4)
      const { facts } = yield* attempt(incremental(slots[1]))
      assert.strictEqual(partitionOf(facts, "orders").from, cut.start_offset)
      assert.strictEqual(partitionOf(facts, "orders").logStart, start)
      assert.isUndefined(partitionOf(facts, "orders", 1).logStart)
      const stored = yield* storedRecords(store, ids[1], "orders", 0)
      const expected = (yield* storedRecords(store, ids[0], "orders", 0)).filter(
        ({ offset }) => offset >= cut.start_offset
      )
      assert.deepStrictEqual(stored, expected)
      assert.strictEqual(partitionOf(facts, "orders").records, expected.length)
      assert.deepStrictEqual(yield* damageOf(store, ids[1]), [])
      // From then on the log holds nothing of the base any more.
      yield* cluster.deleteRecordsBefore("orders", 0, 240)
      const later = yield* attempt(incremental(slots[2]))
      assert.deepInclude(partitionOf(later.facts, "orders"), { from: 240, until: 240, records: 0 })
    }).pipe(Effect.provide(layer))
  )

  it.live("proves by its last records that a backup without epochs is the same log, and that another is not", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* cluster.createTopic("replaced")
      for (let i = 0; i < 4; i++) yield* cluster.produce("replaced", 0, [{ value: `${i}` }, { value: "x" }])
      yield* attempt(aRequest(slots[0]))
      yield* asBefore(store, ids[0])
      yield* cluster.truncate("replaced", 0, 4)
      for (let i = 0; i < 5; i++) yield* cluster.produce("replaced", 0, [{ value: `other ${i}` }, { value: "x" }])
      const { facts } = yield* attempt(incremental(slots[1]))
      assert.strictEqual(partitionOf(facts, "replaced").full, "EndDiffers")
      assert.strictEqual(facts.base?.backupId, ids[0])
      assert.isUndefined(partitionOf(facts, "orders").full)
      assert.strictEqual(partitionOf(facts, "orders").leaderEpoch, 0, "for the next time")
      assert.strictEqual(facts.totals.newRecords, 14)
      yield* assertHoldsAll(cluster, store, ids[1], { ...someTopics, replaced: 1 })
    }).pipe(Effect.provide(layer))
  )

  it.live("builds on a full backup of version 0.1, and is whole", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(aRequest(slots[0]))
      yield* asFirst(store, ids[0])
      yield* more(cluster)
      const { facts } = yield* attempt(incremental(slots[1]))
      assert.deepStrictEqual([facts.base?.backupId, facts.totals.newRecords], [ids[0], 20])
      yield* assertHoldsAll(cluster, store, ids[1], someTopics)
      assert.deepStrictEqual(yield* damageOf(store, ids[1]), [])
    }).pipe(Effect.provide(layer))
  )

  it.live("stops while it compares the ends of a backup without epochs, and plans again at its next attempt", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(aRequest(slots[0]))
      yield* asBefore(store, ids[0])
      const stop = yield* Deferred.make<void>()
      const slow: ObjectStoreShape = {
        ...store,
        read: (key) =>
          key.includes("/topics/")
            ? Stream.unwrap(Effect.as(Deferred.succeed(stop, undefined), Stream.never))
            : store.read(key)
      }
      const stopped = yield* Effect.flip(attempt(incremental(slots[1]), { store: slow, stop }))
      assert.strictEqual(stopped.reason._tag, "Interrupted")
      const { facts } = yield* attempt(incremental(slots[1]))
      assert.deepStrictEqual([facts.base?.backupId, facts.totals.newRecords], [ids[0], 0])
    }).pipe(Effect.provide(layer))
  )

  it.live("proves the same with headers that the backup added", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      const settings = { compression: "lz4", compressionLevel: 1, includeOffsetHeaders: true } as const
      yield* attempt(aRequest(slots[0], { settings }))
      yield* asBefore(store, ids[0])
      const { facts } = yield* attempt(aRequest(slots[1], { settings, incremental: {} }))
      assert.deepStrictEqual([partitionOf(facts, "orders").full, facts.totals.newRecords], [undefined, 0])
      const other = yield* attempt(aRequest(slots[2], { incremental: {} }))
      assert.strictEqual(other.facts.full, "OtherHeaders")
    }).pipe(Effect.provide(layer))
  )

  it.live("reads every so many backups in full", () =>
    Effect.gen(function* () {
      const { cluster } = yield* world
      yield* fill(cluster)
      const made: Array<string | undefined> = []
      for (let hour = 10; hour < 16; hour++) {
        const { facts } = yield* attempt(aRequest(`2026-11-23T${hour}:00:00Z`, { incremental: { fullEvery: 3 } }))
        made.push(facts.full)
      }
      assert.deepStrictEqual(made, ["NoEarlierBackup", undefined, undefined, "FullDue", undefined, undefined])
    }).pipe(Effect.provide(layer))
  )

  it.live("reads partitions of small segments in full where it would take over too many", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* cluster.createTopic("orders", { partitions: 2 })
      const request = (n: number) => aRequest(slots[n]!, { incremental: { mostSegments: 4 } })
      for (let i = 0; i < 40; i++) yield* cluster.produce("orders", 0, [{ value: `${i} `.repeat(200) }])
      yield* cluster.produce("orders", 1, [{ value: "small" }])
      const first = yield* attempt(request(0), { segmentBytes: 1024 })
      assert.isAbove(first.facts.totals.segments, 10)
      const { facts } = yield* attempt(request(1), { segmentBytes: 16_384 })
      assert.deepStrictEqual(
        [0, 1].map((partition) => partitionOf(facts, "orders", partition).full),
        ["ManySmallSegments", undefined]
      )
      assert.isBelow(facts.totals.segments, 5)
      yield* assertHoldsAll(cluster, store, ids[1], { orders: 2 })
    }).pipe(Effect.provide(layer))
  )

  it.live(
    "reads everything where the memory limit has no room for the earlier backup, and opens no manifest of it",
    () =>
      Effect.gen(function* () {
        const { cluster, store } = yield* world
        yield* fill(cluster)
        const first = yield* attempt(incremental(slots[0]))
        const { segments } = first.facts.totals
        const key = BackupKeys.manifest(ids[0])
        let reads = 0
        const watching: ObjectStoreShape = {
          ...store,
          get: (one) => Effect.tap(store.get(one), () => Effect.sync(() => void (reads += one === key ? 1 : 0))),
          read: (one) => Stream.suspend(() => ((reads += one === key ? 1 : 0), store.read(one)))
        }
        const limited = (slot: string, most: number) =>
          attempt(incremental(slot), { store: watching, mostSegments: () => most })
        const second = yield* limited(slots[1]!, segments - 1)
        assert.deepStrictEqual([second.facts.full, second.facts.base, reads], ["TooManyForMemory", undefined, 0])
        assert.include(second.facts.notes.join(), `names ${segments} objects, and the memory limit has room for`)
        const { facts } = yield* limited(slots[2]!, 4 * segments)
        assert.strictEqual(facts.base?.backupId, ids[1])
      }).pipe(Effect.provide(layer))
  )

  it.live("reads everything where a later attempt has less memory than the one that chose the earlier backup", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      const first = yield* attempt(incremental(slots[0]))
      const { segments } = first.facts.totals
      yield* more(cluster)
      const dying: ObjectStoreShape = {
        ...store,
        put: (key, pieces, options) =>
          key.includes("/topics/") ? Effect.die("killed") : store.put(key, pieces, options)
      }
      const killed = yield* Effect.exit(attempt(incremental(slots[1]), { store: dying, mostSegments: () => segments }))
      assert.isTrue(Exit.isFailure(killed))
      const key = BackupKeys.manifest(ids[0])
      let reads = 0
      const watching: ObjectStoreShape = {
        ...store,
        read: (one) => Stream.suspend(() => ((reads += one === key ? 1 : 0), store.read(one)))
      }
      const options = { store: watching, mostSegments: () => segments - 1 }
      const { attempt: number, facts } = yield* attempt(incremental(slots[1]), options)
      assert.deepStrictEqual([number, facts.base, reads], [2, undefined, 0])
      assert.strictEqual(partitionOf(facts, "orders").full, "TooManyForMemory")
      assert.match(facts.notes.join("\n"), /partitions were read in full: .*more objects than the memory limit allows/)
      yield* assertHoldsAll(cluster, store, ids[1], someTopics)
      assert.deepStrictEqual(yield* damageOf(store, ids[1]), [])
    }).pipe(Effect.provide(layer))
  )

  it.live("does not read a manifest that is longer than the process has memory for", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      const { facts } = yield* attempt(incremental(slots[0]))
      const { byteLength } = yield* store.get(BackupKeys.manifest(facts.backupId))
      const within = (bytes: number) =>
        Catalogue.openById(store, facts.backupId).pipe(Effect.provideService(ManifestFile.Affordable, bytes))
      yield* within(byteLength)
      const { message } = yield* Effect.flip(within(byteLength - 1))
      assert.match(message, /it has more than 0 MiB, for which the memory limit is too small/u)
    }).pipe(Effect.provide(layer))
  )

  it.live("does not trust a clock that is behind an earlier backup, where the age of a backup matters", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* cluster.createTopic("compacted", { configs: { "cleanup.policy": "compact" } })
      yield* cluster.produce("compacted", 0, [{ key: "k", value: "v" }])
      yield* attempt(incremental(slots[0]))
      yield* attempt(incremental(slots[1]))
      // As one that was made when the clock was right: it is behind since.
      const key = BackupKeys.facts(ids[1])
      const facts = Result.getOrThrow(SealedJson.open(SetFacts, yield* store.get(key)))
      yield* store.put(key, [SealedJson.seal(SetFacts, { ...facts, startedMillis: facts.startedMillis + 86_400_000 })])
      const third = yield* attempt(incremental(slots[2]))
      assert.strictEqual(third.facts.base?.backupId, ids[0])
      assert.deepStrictEqual(
        ["compacted", "orders"].map((topic) => partitionOf(third.facts, topic).full),
        ["ClockBehind", undefined]
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("builds on a backup that lies behind many failed runs, and behind many backups of a namesake", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(incremental(slots[0]))
      const ofNamesake = yield* attempt({
        ...aRequest("2026-11-23T12:30:00Z"),
        identity: { owner: { uid: "uid-2", namespace: "other", name: "nightly" }, slot: "2026-11-23T12:30:00Z" }
      })
      const facts = yield* store.get(BackupKeys.facts(ofNamesake.facts.backupId))
      for (let minute = 31; minute < 57; minute++) {
        const id = BackupId.make(`nightly-20261123-12${minute}00`)
        const foreign = { ...Result.getOrThrow(SealedJson.open(SetFacts, facts)), backupId: id }
        yield* store.put(BackupKeys.facts(id), [SealedJson.seal(SetFacts, foreign)])
        yield* store.put(BackupKeys.manifest(id), [Buffer.from("{}")])
      }
      const second = yield* attempt(incremental(slots[1]))
      assert.strictEqual(second.facts.base?.backupId, ids[0])
      // Without manifests they are failed runs, which hide nothing even where no index helps.
      yield* Effect.forEach([...Array(26).keys()], (n) =>
        store.delete(BackupKeys.manifest(BackupId.make(`nightly-20261123-12${n + 31}00`)))
      )
      const indexes = (yield* memoryKeys).filter((key) => key.includes("/index/"))
      yield* Effect.forEach(indexes, (key) => store.delete(ObjectKey.make(key)))
      yield* store.delete(BackupKeys.manifest(ids[1]))
      const again = yield* attempt(incremental(slots[2]))
      assert.strictEqual(again.facts.base?.backupId, ids[0])
    }).pipe(Effect.provide(layer))
  )

  it.live("does not build on a backup whose manifest was changed, but on the one before it", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(incremental(slots[0]))
      yield* more(cluster)
      yield* attempt(incremental(slots[1]))
      // A manifest that somebody changed is no base, although its objects are there.
      const key = ObjectKey.make(`${ids[1]}/manifest.json`)
      const text = Buffer.from(yield* store.get(key)).toString()
      yield* store.put(key, [Buffer.from(text.replace('"record_count":', '"record_count": '))])
      const third = yield* attempt(incremental(slots[2]))
      assert.strictEqual(third.facts.base?.backupId, ids[0])
      yield* assertHoldsAll(cluster, store, ids[2], someTopics)
    }).pipe(Effect.provide(layer))
  )
})

describe("an incremental run that is disturbed", () => {
  it.live("reads in full what was removed after it was planned, whenever that is", () =>
    Effect.gen(function* () {
      for (const when of ["plan.json", "/topics/", "/locks/"]) {
        yield* Effect.gen(function* () {
          const { cluster, store } = yield* world
          yield* fill(cluster)
          yield* attempt(incremental(slots[0]))
          yield* more(cluster)
          let isGone = false
          const pruned: ObjectStoreShape = {
            ...store,
            put: (key, pieces, options) =>
              Effect.suspend(() => {
                const put = store.put(key, pieces, options)
                if (isGone || !key.includes(when)) return put
                isGone = true
                // A prune by hand: it had the lock before, where the run is about to take it.
                const owner = incremental(slots[0]).identity.owner
                const pruning = SetRemoval.remove(store, ids[0], owner, new Set()).pipe(Effect.orDie)
                return when === "/locks/" ? Effect.andThen(pruning, put) : Effect.tap(put, () => pruning)
              })
          }
          const { attempt: number, facts } = yield* attempt(incremental(slots[1]), { store: pruned })
          assert.isTrue(isGone, when)
          assert.strictEqual(partitionOf(facts, "orders", 1).full, "EarlierGone", when)
          assert.include(facts.notes.join("\n"), "read in full: the earlier backup was removed or changed")
          assert.deepStrictEqual([facts.base, facts.references, number], [undefined, [], 2], when)
          yield* assertHoldsAll(cluster, store, ids[1], someTopics)
          assert.deepStrictEqual(yield* damageOf(store, ids[1]), [])
        }).pipe(Effect.provide(layer))
      }
    })
  )

  it.live("takes nothing over from a backup whose removal has begun, although its objects are still there", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(incremental(slots[0]))
      yield* more(cluster)
      const { owner } = incremental(slots[0]).identity
      // Whoever removes it has lost the lock without noticing.
      const condemned: ObjectStoreShape = {
        ...store,
        put: (key, pieces, options) =>
          key.endsWith("/plan.json")
            ? Effect.tap(store.put(key, pieces, options), () => SetRemoval.condemn(store, ids[0], owner))
            : store.put(key, pieces, options)
      }
      const { attempt: number, facts } = yield* attempt(incremental(slots[1]), { store: condemned })
      assert.strictEqual(partitionOf(facts, "orders", 1).full, "EarlierGone")
      assert.deepStrictEqual([facts.base, facts.references, number], [undefined, [], 2])
      yield* SetRemoval.remove(store, ids[0], owner, new Set())
      yield* assertHoldsAll(cluster, store, ids[1], someTopics)
      assert.deepStrictEqual(yield* damageOf(store, ids[1]), [])
    }).pipe(Effect.provide(layer))
  )

  /** Enough for two segments of one partition, and what there is of records that nobody sees. */
  const fillLittle = Effect.fnUntraced(function* (cluster: InMemoryCluster) {
    yield* cluster.createTopic("orders", { partitions: 3 })
    for (let batch = 0; batch < 9; batch++) {
      const value = `value ${batch} `.repeat(40)
      yield* cluster.produce("orders", batch % 3, [{ value }, { value }, { value }], { codec: "zstd" })
    }
    yield* cluster.createTopic("payments")
    const transaction = yield* cluster.beginTransaction()
    yield* transaction.produce("payments", 0, [{ value: "aborted" }])
    yield* transaction.abort
    yield* cluster.produce("payments", 0, [{ value: "paid" }])
  })

  /** Runs the second of two backups, which dies at call `n`; then runs it again, and compares. Ends when none died. */
  const survives = (dies: (n: number) => Killed, least: number) =>
    Effect.gen(function* () {
      for (let n = 1; ; n++) {
        const finished = yield* Effect.gen(function* () {
          const { cluster, memory, store } = yield* world
          yield* fillLittle(cluster)
          yield* attempt(incremental(slots[0]))
          yield* more(cluster)
          const died = yield* Effect.exit(dies(n)(store))
          yield* cluster.produce("orders", 1, [{ value: "after the plan" }])
          // Two minutes later: the lock of the dead process has expired.
          const locks = (yield* memory.keys).filter((key) => key.includes("/locks/"))
          yield* Effect.forEach(locks, (key) => store.delete(ObjectKey.make(key)))
          const { facts } = yield* attempt(incremental(slots[1]))
          yield* assertHoldsAll(cluster, store, ids[1], { payments: 1 })
          for (const partition of [0, 1, 2]) {
            const { until } = partitionOf(facts, "orders", partition)
            const offsets = (yield* storedRecords(store, ids[1], "orders", partition)).map(({ offset }) => offset)
            assert.deepStrictEqual(
              offsets,
              Array.from({ length: until }, (_, i) => i),
              `call ${n}`
            )
          }
          assert.deepStrictEqual(yield* damageOf(store, ids[1]), [])
          assert.strictEqual(facts.base?.backupId, ids[0], `call ${n}`)
          return Exit.isSuccess(died)
        }).pipe(Effect.provide(layer))
        if (finished) {
          assert.isAbove(n, least)
          break
        }
      }
    })

  type Killed = (store: ObjectStoreShape) => ReturnType<typeof attempt>

  for (const when of ["before", "after"] as const) {
    it.live(
      `loses and doubles nothing when it dies ${when} any call to storage`,
      () => survives((n) => (store) => attempt(incremental(slots[1]), { store: dyingAt(store, n, when).store }), 40),
      180_000
    )
  }

  it.live(
    "loses and doubles nothing when it dies at any call to Kafka",
    () =>
      survives((n) => {
        let calls = 0
        const met = <A, E>(call: Effect.Effect<A, E>): Effect.Effect<A, E> =>
          Effect.suspend(() => (++calls >= n ? Effect.die("killed") : call))
        const dying = (source: KafkaSourceShape): KafkaSourceShape => ({
          ...source,
          cluster: met(source.cluster),
          lookup: (names) => met(source.lookup(names)),
          offsets: (partitions, kind) => met(source.offsets(partitions, kind)),
          lineage: (places) => met(source.lineage(places)),
          cleanup: (names) => met(source.cleanup(names)),
          topicConfigs: (names) => met(source.topicConfigs(names)),
          groupOffsets: (topics) => met(source.groupOffsets(topics)),
          read: (request) => Stream.unwrap(met(Effect.succeed(source.read(request))))
        })
        return () => attempt(incremental(slots[1]), { kafka: dying })
      }, 8),
    180_000
  )
})
