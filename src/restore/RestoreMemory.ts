import { Clock, Effect, Option, Schema } from "effect"
import type { Owner } from "../identity/RunIdentity.ts"
import { type KafkaError, KafkaError as Failed } from "../kafka/KafkaError.ts"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import { nameOf } from "./Attempt.ts"

/*
 * What attempts of one restore leave for each other, in the target cluster: the restore's own consumer group has an
 * offset for partition 0 of each topic, and this text beside it; of a topic that is appended to, for all partitions.
 * Nothing is written to the store.
 */

/** The configurations that a restore holds back: a text to set, or null for the default of the brokers. */
export const Retention = Schema.Struct({
  "retention.ms": Schema.NullOr(Schema.String),
  "retention.bytes": Schema.NullOr(Schema.String)
})
export type Retention = typeof Retention.Type

/** The text of one topic. */
const Stored = Schema.Struct({
  /** Of a restore with `spec.backupRef`: the backup that was chosen, and a fingerprint of what asked for it. */
  chosen: Schema.optionalKey(Schema.Struct({ by: Schema.String, backupId: Schema.String })),
  /** Digest of the plan: an attempt of another plan goes on with nothing. */
  plan: Schema.String,
  /** Of the topic that was written to; absent before Kafka 2.8. */
  topicId: Schema.optionalKey(Schema.String),
  /** Whether this restore made the topic. */
  isMade: Schema.Boolean,
  /** Producer ids of the batches that attempts of this restore wrote to it, the newest last; at most 64. */
  producerIds: Schema.optionalKey(Schema.Array(Schema.Int)),
  /** When all records of the restore were read back and compared, in milliseconds since 1970; absent until then. */
  provenMillis: Schema.optionalKey(Schema.Int),
  /** What became of the topic's own configuration: all but retention is in place, or all of it. Absent until then. */
  configs: Schema.optionalKey(Schema.Literals(["held", "final"])),
  /** What the topic gets when its hold ends. */
  retention: Retention,
  /** Of a topic that existed before: what it had of the configurations that were changed. */
  own: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  /** When consumer groups got their offsets, in milliseconds since 1970; absent until then. */
  groupsSetMillis: Schema.optionalKey(Schema.Int),
  /** Groups that were left as they were at that time, because they had members or refused it; absent for none. */
  groupsLeft: Schema.optionalKey(Schema.Int),
  /** When all ACLs and quotas were added, in milliseconds since 1970; absent until then. */
  accessMillis: Schema.optionalKey(Schema.Int),
  /** Records are written behind those of others: the number of partitions, each of which has an offset in the group. */
  appends: Schema.optionalKey(Schema.Int)
})

/** What a restore remembers of one topic. */
export type Remembered = Omit<typeof Stored.Type, "appends"> & {
  /** Of a topic that is appended to, by partition: where the log ended before the restore wrote to it. */
  readonly bases?: ReadonlyArray<number>
}

/** By target topic. */
export type Memory = ReadonlyMap<string, Remembered>

/** Producer ids that are remembered: their texts stay below 1300 bytes, of the 4096 that brokers take by default. */
const mostProducers = 64

/** The same, and that batches with this producer id are of this restore, too. */
export const withProducer = (remembered: Remembered, producerId: number): Remembered => ({
  ...remembered,
  producerIds: [...(remembered.producerIds ?? []).filter((id) => id !== producerId), producerId].slice(-mostProducers)
})

/** What is remembered of exactly this topic and this plan: not of one that was made anew under the name. */
export const rememberedOf = (
  memory: Memory,
  plan: string,
  { name, topicId }: { readonly name: string; readonly topicId?: string | undefined }
): Remembered | undefined => {
  const remembered = memory.get(name)
  return remembered?.plan === plan && remembered.topicId === topicId ? remembered : undefined
}

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Stored))

/** Years are enough for any hold: the broker forgets offsets of a group without members after a week otherwise. */
const keptMillis = 10 * 365 * 86_400_000

/** Offsets in one commit: their texts together stay far below the limit of a batch, 1 MB by default. */
const offsetsPerCommit = 500

/** Everything that attempts of this restore remember, whatever their plan. Undefined without Read on the group. */
export const load = Effect.fnUntraced(function* (sink: KafkaSinkShape, owner: Owner) {
  const committed = yield* permitted(sink.committedOffsets(nameOf(owner)))
  if (committed === undefined) return undefined
  const basesOf = (topic: string, count: number) => {
    const own = committed.filter((one) => one.topic === topic && one.partition < count)
    return own.toSorted((a, b) => a.partition - b.partition).map(({ offset }) => offset)
  }
  const entries = committed.flatMap(({ metadata, topic }): ReadonlyArray<readonly [string, Remembered]> => {
    const stored = Option.getOrUndefined(decode(metadata))
    if (stored === undefined) return []
    const { appends, ...remembered } = stored
    if (appends === undefined) return [[topic, remembered]]
    const bases = basesOf(topic, appends)
    // All of them are there before the first record is written.
    return bases.length === appends ? [[topic, { ...remembered, bases }]] : []
  })
  return new Map(entries) as Memory
})

/** Remembers these topics. False without Read on the group. */
export const save = Effect.fnUntraced(function* (sink: KafkaSinkShape, owner: Owner, memory: Memory) {
  const offsets = [...memory].flatMap(([topic, { bases, ...remembered }]) => {
    const stored: typeof Stored.Type = bases === undefined ? remembered : { ...remembered, appends: bases.length }
    return [
      { topic, partition: 0, offset: bases?.[0] ?? 0, metadata: JSON.stringify(stored) },
      ...(bases ?? []).slice(1).map((offset, i) => ({ topic, partition: i + 1, offset, metadata: "" }))
    ]
  })
  for (let at = 0; at < offsets.length; at += offsetsPerCommit) {
    const saved = yield* permitted(
      Effect.as(commit(sink, nameOf(owner), offsets.slice(at, at + offsetsPerCommit)), true as const)
    )
    if (saved === undefined) return false
  }
  return true
})

/** No topic has so many partitions: a commit for it is refused after its permissions were checked. */
const noPartition = 2_147_483_647

/**
 * Whether the restore may write down what it remembers: reading it takes Describe on the group, writing takes Read.
 * `topic`: one that exists. Commits nothing.
 */
export const isWritable = (sink: KafkaSinkShape, owner: Owner, topic: string): Effect.Effect<boolean, KafkaError> =>
  sink.commitOffsets(nameOf(owner), [{ topic, partition: noPartition, offset: 0 }]).pipe(
    Effect.as(true),
    Effect.catchTag("KafkaError", (error) => {
      if (error.isRetryable) return Effect.fail(error)
      const { reason } = error
      // Permissions on the topic are asked for by themselves.
      return Effect.succeed(reason._tag !== "KafkaAuthorizationFailed" || !reason.resource.startsWith("group "))
    })
  )

/** How long the coordinator may not know the topics, which are visible already on another broker. */
const unknownMillis = 30_000

const commit = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  groupId: string,
  offsets: Parameters<KafkaSinkShape["commitOffsets"]>[1]
) {
  const untilMillis = (yield* Clock.currentTimeMillis) + unknownMillis
  const once: Effect.Effect<void, KafkaError> = sink.commitOffsets(groupId, offsets, { keptMillis }).pipe(
    Effect.catchReason("KafkaError", "TopicVanished", (reason) =>
      Effect.gen(function* () {
        if ((yield* Clock.currentTimeMillis) >= untilMillis) {
          return yield* new Failed({ operation: "groups", reason })
        }
        yield* Effect.sleep(500)
        return yield* once
      })
    )
  )
  yield* once
})

/** Without permission, the answer is undefined: a resume then finds topics that hold records, and says so. */
const permitted = <A>(effect: Effect.Effect<A, KafkaError>): Effect.Effect<A | undefined, KafkaError> =>
  Effect.catchReason(effect, "KafkaError", "KafkaAuthorizationFailed", () =>
    Effect.as(
      Effect.logWarning("the restore cannot remember what it wrote: permission denied on its consumer group"),
      undefined
    )
  )
