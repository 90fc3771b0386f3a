import { Effect } from "effect"
import { type Topic, topicsAndPartitions, type World } from "./World.ts"

/* What Kafka ever held, and what a backup must hold of it. */

/** One partition of one incarnation of a topic. */
export interface Log {
  /** Where the log begins, as far as somebody moved it. */
  logStart: number
  /** Compaction has looked at the records below it, and at no others. */
  cleanedUntil: number
  /** Text of each committed record that was ever there, by offset: an unclean election puts others at the same one. */
  readonly ever: Map<number, ReadonlySet<string>>
  /** When each was written, by the true time. */
  readonly writtenMillis: Map<number, number>
}

type View = ReadonlyMap<number, ReadonlySet<string>>

export interface Expected {
  readonly topic: Topic
  readonly partition: number
  readonly isCompacted: boolean
  /** A segment that reaches below it is kept whole, so a backup may hold records from before it. */
  readonly logStart: number
  /** Committed records when the backup was made. */
  readonly now: ReadonlyMap<number, string>
  /**
   * Those, and others that compaction or deletion removed since; one more for each time that the run went on. A backup
   * is of one of these logs, never of two.
   */
  readonly views: ReadonlyArray<View>
  /** The last value of each key; absent where Kafka went on between the plan and the end of the run. */
  readonly values: ReadonlyMap<string, string | null> | undefined
}

const hex = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")

export interface PlainRecord {
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  /** Everything but the offset. */
  readonly text: string
}

interface AnyRecord {
  readonly offset: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly timestamp: number | bigint
  readonly headers: ReadonlyArray<readonly [key: Uint8Array, value: Uint8Array | null]>
}

/** `added` are header keys that the backup appended. */
export const plain = (record: AnyRecord, added: ReadonlyArray<string> = []): PlainRecord => {
  const [key, value] = [hex(record.key), hex(record.value)]
  const headers = record.headers
    .slice(0, record.headers.length - added.length)
    .map(([name, content]) => `${hex(name)}=${content === null ? "null" : `'${hex(content)}'`}`)
  const text = `${key === null ? "null" : `'${key}'`} ${value === null ? "null" : `'${value}'`} ${record.timestamp} ${headers.join(" ")}`
  return { offset: record.offset, key, value, text }
}

export const logOf = ({ logs }: World, topic: string, partition: number): Log => {
  const key = `${topic}/${partition}`
  const found = logs.get(key) ?? { logStart: 0, cleanedUntil: 0, ever: new Map(), writtenMillis: new Map() }
  logs.set(key, found)
  return found
}

/** What is committed now, in every partition. */
export const learn = (world: World) =>
  Effect.forEach(topicsAndPartitions(world), ([topic, partition]) =>
    Effect.map(world.cluster.committed(topic, partition), (found) => {
      const { ever } = logOf(world, topic, partition)
      const records = found.map((record) => plain(record))
      for (const { offset, text } of records) {
        const known = ever.get(offset)
        if (known?.has(text) !== true) ever.set(offset, new Set([...(known ?? []), text]))
      }
      return { topic, partition, records }
    })
  )

const lastValues = (records: ReadonlyArray<PlainRecord>) =>
  new Map(records.flatMap(({ key, value }) => (key === null ? [] : [[key, value] as const])))

/** What a run that is planned now must hold. */
export const remember = Effect.fnUntraced(function* (world: World, backupId: string) {
  const found = yield* learn(world)
  world.expected.set(
    backupId,
    found.map(({ partition, records, topic }) => {
      const { ever, logStart } = logOf(world, topic, partition)
      return {
        topic,
        partition,
        isCompacted: topic !== "events" || world.configured.has(topic),
        logStart,
        now: new Map(records.map(({ offset, text }) => [offset, text])),
        views: [new Map(ever)],
        values: lastValues(records)
      }
    })
  )
})

/** What a run that was planned before must hold if it goes on now: what is still there of what was there. */
export const goesOn = Effect.fnUntraced(function* (world: World, backupId: string) {
  const found = yield* learn(world)
  world.expected.set(
    backupId,
    (world.expected.get(backupId) ?? []).map((law) => {
      const records = found.find(({ partition, topic }) => topic === law.topic && partition === law.partition)?.records
      const left = new Map((records ?? []).map(({ offset, text }) => [offset, text]))
      return {
        ...law,
        now: new Map([...law.now].filter(([offset, text]) => left.get(offset) === text)),
        views: [...law.views, new Map(logOf(world, law.topic, law.partition).ever)],
        values: undefined
      }
    })
  )
})
