import { Effect } from "effect"
import type { RunRequest } from "../../../src/backup/RunRequest.ts"
import type { Resource } from "../../../src/manifest/Adoption.ts"
import type { ContentSettings } from "../../../src/manifest/RunPlan.ts"
import type { InMemoryTransaction } from "../../../src/kafka/memory/InMemoryCluster.ts"
import { InMemoryObjectStores } from "../../../src/storage/InMemoryObjectStore.ts"
import { ObjectKey } from "../../../src/storage/ObjectStore.ts"
import { aRequest, world as inMemory } from "../world.ts"
import * as PodClock from "./PodClock.ts"
import type { Content } from "./Reading.ts"
import type { Expected, Log } from "./Records.ts"
import type { Opened } from "./Sets.ts"
import * as WatchedStore from "./WatchedStore.ts"

/* What a history has made so far: the cluster, the store, the resource, and what is known of all of them. */

export const topics = ["events", "state", "fleeting"] as const
export type Topic = (typeof topics)[number]

const hour = 3_600_000

/** How long compaction keeps deletions. */
export const deleteRetentionMillis: Readonly<Record<Topic, number>> = {
  events: 24 * hour,
  state: 12 * hour,
  fleeting: 0
}

export const configs: Readonly<Record<Topic, Readonly<Record<string, string>>>> = {
  events: {},
  state: { "cleanup.policy": "compact", "delete.retention.ms": String(deleteRetentionMillis.state) },
  fleeting: { "cleanup.policy": "compact", "delete.retention.ms": "0" }
}

export const partitionsOf = (topic: Topic): number => (topic === "events" ? 2 : 1)

/** Objects of others, which nobody may touch. */
export const foreign = [
  ["nightly-notes.txt", "a file of somebody else"],
  ["nightly-20200101-000000x/manifest.json", "{}"],
  ["other/data.bin", "1234"]
] as const

/** What the user wrote, as far as histories edit it. */
export interface Spec {
  settings: ContentSettings
  isIncremental: boolean
  fullEvery: number | undefined
  retained: Pick<RunRequest, "retainedBackups" | "retainedByTime">
}

export interface World extends WatchedStore.WatchedStore, Effect.Success<typeof opened> {
  readonly time: PodClock.Time
  /** How far the clocks of pods are ahead from now on. */
  skewMillis: number
  readonly partitions: Map<Topic, number>
  /** What Kafka ever held, by topic and partition. */
  readonly logs: Map<string, Log>
  /** What each backup must hold. */
  readonly expected: Map<string, ReadonlyArray<Expected>>
  readonly skews: Map<string, { low: number; high: number }>
  readonly spec: Spec
  resource: Resource
  /** It was created again. */
  hasSuccessor: boolean
  slotMillis: number
  /** The slot of a run that died. */
  unfinished: { readonly slot: string; readonly resource: Resource } | undefined
  openTransaction: InMemoryTransaction | undefined
  /** What happened since the last complete backup but the production of records, by partition; or to all. */
  touched: Set<string> | "everything"
  readonly pinned: Set<string>
  /** Topics whose configuration has changed since they were created. */
  readonly configured: Set<Topic>
  readonly segmentBytes: number
  readonly opened: Opened
  readonly contents: Map<string, Content>
  /** Folders whose claims were damaged: nobody can prove whose they are. */
  readonly unclaimed: Set<string>
  /** With what versions of their objects the laws have held for backups. */
  readonly checked: Map<string, string>
  /** Backups whose clocks were wrong, so that they may hold what compaction has deleted. */
  readonly doubtful: Set<string>
  records: number
  /** Counts the stores that the differential law has used. */
  scratch: number
  readonly problems: Array<string>
}

const opened = Effect.gen(function* () {
  const { cluster, memory } = yield* inMemory
  return { cluster, memory, stores: yield* InMemoryObjectStores }
})

export const topicsAndPartitions = ({ partitions }: Pick<World, "partitions">) =>
  [...partitions].flatMap(([topic, count]) => Array.from({ length: count }, (_, p) => [topic, p] as const))

/** Something happened to the partition that may keep the next backup from taking it over. */
export const touch = (world: World, topic?: string, partition?: number): void => {
  if (topic === undefined || partition === undefined) world.touched = "everything"
  else if (world.touched !== "everything") world.touched.add(`${topic}/${partition}`)
}

export const ownerOf = (uid: string) => ({ ...aRequest("2026-01-01T00:00:00Z").identity.owner, uid })

/** An empty cluster with three topics, and a store with nothing but files of others. */
export const make = Effect.fnUntraced(function* (isJoining: boolean) {
  const { cluster, memory, stores } = yield* opened
  const time: PodClock.Time = { nowMillis: Date.parse("2026-01-05T00:00:00Z") }
  const watched = WatchedStore.make(memory, PodClock.make(time, 0))
  for (const topic of topics) {
    yield* cluster.createTopic(topic, { partitions: partitionsOf(topic), configs: configs[topic] })
  }
  for (const [key, text] of foreign) yield* watched.store.put(ObjectKey.make(key), [Buffer.from(text)])
  const world: World = {
    ...watched,
    cluster,
    memory,
    stores,
    time,
    skewMillis: 0,
    partitions: new Map(topics.map((topic) => [topic, partitionsOf(topic)])),
    logs: new Map(),
    expected: new Map(),
    skews: new Map(),
    spec: {
      settings: { compression: "zstd", compressionLevel: 1, includeOffsetHeaders: false },
      isIncremental: true,
      fullEvery: undefined,
      retained: {}
    },
    resource: { ...ownerOf("uid-1"), adopting: { sourceClusterId: undefined, createdMillis: time.nowMillis } },
    hasSuccessor: false,
    slotMillis: time.nowMillis,
    unfinished: undefined,
    openTransaction: undefined,
    touched: "everything",
    pinned: new Set(),
    configured: new Set(),
    // Larger ones are joined.
    segmentBytes: isJoining ? 64 * 1024 : 4096,
    opened: new Map(),
    contents: new Map(),
    unclaimed: new Set(),
    checked: new Map(),
    doubtful: new Set(),
    records: 0,
    scratch: 0,
    problems: []
  }
  return world
})
