import { Effect } from "effect"
import * as Drill from "../../src/drill/Drill.ts"
import type { Facts, Systems } from "../../src/drill/DrillFacts.ts"
import * as DrillPreflight from "../../src/drill/DrillPreflight.ts"
import * as DrillRequest from "../../src/drill/DrillRequest.ts"
import { KafkaSinks } from "../../src/kafka/KafkaSink.ts"
import { KafkaSources } from "../../src/kafka/KafkaSource.ts"
import type { ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import * as Backup from "../backup/world.ts"

/** A cluster that is backed up, and drills into the same cluster. */

export const layer = Backup.layer

const server = { bootstrapServers: ["in-memory:9092"] }

export const aDrill = (changes: Partial<DrillRequest.DrillRequest> = {}): DrillRequest.DrillRequest => ({
  resource: { uid: "uid-1", namespace: "kafka", name: "nightly" },
  topics: ["*"],
  prefix: "_drill-",
  maxBytes: 1024 * 1024 * 1024,
  replicationFactor: 1,
  number: 7,
  bytesPerSecond: undefined,
  recordsPerSecond: undefined,
  ...changes
})

/** A backup of the slot at this hour. */
export const backUp = (hour = 12, options: Backup.RunOptions = {}) =>
  Effect.map(Backup.attempt(Backup.aRequest(`2026-11-23T${hour}:00:00Z`), options), ({ facts }) => facts.backupId)

export const opened = (store?: ObjectStoreShape) =>
  Effect.gen(function* () {
    const source = yield* (yield* KafkaSources).open(server)
    const sink = yield* (yield* KafkaSinks).open(server)
    return { sink, source, live: source, store: store ?? (yield* Backup.world).store } satisfies Systems
  })

/** What a drill has found out, filled while it works. */
export const collected = (): { facts: Partial<Facts> } => ({ facts: {} })

/** One drill with batches so small that a partition has many; its facts are also in `into`. */
export const drill = Effect.fnUntraced(function* (
  request: DrillRequest.DrillRequest,
  changes: { readonly systems?: Systems; readonly into?: ReturnType<typeof collected> } = {}
) {
  const systems = changes.systems ?? (yield* opened())
  const into = changes.into ?? collected()
  const onFact = (fact: Partial<Facts>) => {
    into.facts = { ...into.facts, ...fact }
  }
  const prepared = yield* DrillPreflight.prepare(systems, request, onFact)
  yield* Drill.run(systems, request, prepared, {
    openPartitions: 3,
    batchBytes: 400,
    leastStoredBytes: 0,
    batchMemoryBytes: 32 * 1024 * 1024,
    patienceMillis: 600_000,
    onAppended: () => {},
    onProven: () => {},
    onFact
  })
  return into.facts as Facts
}, Effect.scoped)

export const names = Effect.gen(function* () {
  const source = yield* (yield* KafkaSources).open(server)
  return (yield* source.cluster).topics.map(({ name }) => name).toSorted()
}).pipe(Effect.scoped)
