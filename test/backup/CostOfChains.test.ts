import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as CostModel from "../../src/backup/CostModel.ts"
import * as BackupId from "../../src/identity/BackupId.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as ObjectSizes from "../../src/manifest/ObjectSizes.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"

const hour = 3_600_000
const start = Date.parse("2026-01-01T00:00:00Z")
const [hours, kept] = [700, 168]
const bytesPerHour = 400 * 1024
const documents = 12

/**
 * What an hourly chain of backups has in storage after 700 hours, of which 168 stay: each partition has new data in
 * each hour, and joins eight segments of a size in hours of its own.
 */
const chain = (partitions: number) => {
  const idOf = (hour: number) => BackupId.forSlot("nightly", start + hour * 3_600_000)
  const objects = new Set<string>()
  const named: Array<string> = []
  for (let p = 0; p < partitions; p++) {
    const phase = (p * 37) % 64
    const small: Array<string> = []
    const joined: Array<string> = []
    const twice: Array<string> = []
    for (let at = 0; at < hours; at++) {
      const key = (kind: string) => BackupKeys.segment(idOf(at), "orders", p, at * 10, 1, `${kind}.kbs`)
      const made = (kind: string, into: Array<string>) => {
        into.push(key(kind))
        if (at >= hours - kept) objects.add(key(kind))
      }
      made("", small)
      if ((at + phase) % 8 === 0) {
        small.length = 0
        made(".joined", joined)
      }
      if ((at + phase) % 64 === 0) {
        joined.length = 0
        made(".twice", twice)
      }
    }
    named.push(...small, ...joined, ...twice)
  }
  for (const key of named) objects.add(key)
  for (let at = hours - kept; at < hours; at++) {
    for (let n = 0; n < documents; n++) objects.add(`${idOf(at)}/document-${n}`)
  }
  return { objects, named }
}

const figures = (partitions: number, sampledPercent = 0): CostModel.Figures => ({
  partitions: Array.from({ length: partitions }, () => ({
    bytes: hours * bytesPerHour,
    bytesPerSecond: bytesPerHour / 3600
  })),
  sentPerByte: 1,
  storedPerByte: 0.3,
  bytesPerSecond: 1e8,
  intervalMillis: hour,
  keptAgesMillis: Array.from({ length: kept }, (_, n) => n * hour),
  checkpointMillis: 30_000,
  sampledPercent
})

/** Requests of one look at these objects, in a store that has them. */
const requestsOfLook = Effect.fnUntraced(function* (objects: ReadonlySet<string>, named: ReadonlyArray<string>) {
  const sorted = [...objects].toSorted()
  const byFolder = Map.groupBy(sorted, (key) => key.split("/", 1)[0]!)
  let requests = 0
  const info = (key: string) => ({ key: ObjectKey.make(key), size: 10, modifiedMillis: 0 })
  const store: Pick<ObjectStoreShape, "head" | "list"> = {
    head: (key) => Effect.sync(() => (requests++, info(key))),
    list: (prefix) =>
      Stream.suspend(() => {
        let n = 0
        return Stream.fromIterable(byFolder.get(prefix.split("/", 1)[0]!) ?? sorted).pipe(
          Stream.filter((key) => key.startsWith(prefix)),
          Stream.map((key) => {
            if (n++ % 1000 === 0) requests++
            return info(key)
          })
        )
      })
  }
  yield* ObjectSizes.look(
    store as ObjectStoreShape,
    named.map((key) => ({ key, compressed_size: 10 }))
  )
  return requests
})

describe("what an hourly chain of backups costs, as estimated", () => {
  for (const partitions of [10, 50, 200, 1000]) {
    it(`has the objects in storage that there are, with ${partitions} partitions`, () => {
      const { objects } = chain(partitions)
      const { storedObjects } = CostModel.newDataOnly(figures(partitions))
      assert.closeTo(storedObjects / objects.size, 1, 0.1, `${storedObjects} of ${objects.size}`)
    })
  }

  it("has as many objects that are read again as is their share of all", () => {
    const [without, sampled] = [0, 2].map((percent) => CostModel.newDataOnly(figures(200, percent)))
    const segments = chain(200).objects.size - kept * documents
    assert.closeTo((sampled!.run.reads - without!.run.reads) / (segments / 50), 1, 0.1)
  })

  for (const partitions of [50, 200, 1000]) {
    it.live(`looks for what it takes over with as many requests, with ${partitions} partitions`, () =>
      Effect.gen(function* () {
        const { named, objects } = chain(partitions)
        const counted = yield* requestsOfLook(objects, named)
        const { run } = CostModel.newDataOnly(figures(partitions))
        const written = partitions * (1 + 1 / 8 + 1 / 64)
        const [joined, fixed] = [partitions * (1 + 1 / 8), 95]
        assert.closeTo((run.reads - written - joined - fixed) / (3 * counted), 1, 0.2, `${counted} a look`)
      })
    )
  }
})
