import type { Finished } from "./Processes.ts"
import { measured } from "./Processes.ts"

/** Codec of the producer. */
export type Source = "none" | "lz4" | "zstd"

/** A topic to back up. Its name says all that its content depends on, so that one that is there can be used again. */
export interface BenchTopic {
  readonly name: string
  readonly what: string
  readonly source: Source
  readonly partitions: number
  readonly records: number
  readonly keyBytes: number
  readonly valueBytes: number
}

/** Key and value bytes: what users call the size of their data. */
export const payloadBytes = ({ keyBytes, records, valueBytes }: BenchTopic): number => records * (keyBytes + valueBytes)

const topic = (what: string, source: Source, partitions: number, records: number, valueBytes: number): BenchTopic => ({
  name: `bench-${valueBytes}b-${source}-${partitions}p-${records}`,
  what,
  source,
  partitions,
  records,
  keyBytes: 24,
  valueBytes
})

/** The reference topic: 24-byte keys and 1,000-byte values in 4 partitions. */
export const reference = (source: Source, records: number) => topic("1 KiB", source, 4, records, 1_000)

/** Small records: a quarter of the reference's bytes, so that loading them does not take longer. */
export const small = (records: number) => topic("100 B", "none", 4, Math.floor((records * 1024) / 4 / 124), 100)

/** Large records: half of the reference's bytes. */
export const large = (records: number) => topic("10 KiB", "none", 4, Math.floor((records * 1024) / 2 / 10_264), 10_240)

/** Many partitions with 20 records each: what a run costs beside moving bytes. */
export const many = topic("500 partitions", "none", 500, 10_000, 1_000)

/** Nothing to read: what a run costs at the least. */
export const empty = topic("empty", "none", 4, 0, 1_000)

/** Where the broker is, and the classpath of the Java tools (test/java and Kafka's own). */
export interface Place {
  readonly bootstrap: string
  readonly classpath: string
}

const quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"

/** One of Kafka's Java programs. */
export const java = (place: Place, main: string, args: ReadonlyArray<string>): Promise<Finished> =>
  measured("java", ["-Xmx512m", quiet, "-cp", place.classpath, main, ...args])

const ask = async <A>(place: Place, op: string, request: object): Promise<A> => {
  const { output } = await java(place, "KafkaTool", [op, JSON.stringify({ bootstrap: place.bootstrap, ...request })])
  return JSON.parse(output) as A
}

/** Records in a topic that is already there; undefined when there is none of that name. */
const recordsIn = async (place: Place, name: string): Promise<number | undefined> => {
  const offsets = ask<Record<string, ReadonlyArray<{ readonly start: number; readonly end: number }>>>(
    place,
    "offsets",
    { topics: [name] }
  )
  const found = await offsets.catch((error: Error) => {
    if (error.message.includes("UnknownTopicOrPartition")) return undefined
    throw error
  })
  return found?.[name]?.reduce((sum, { end, start }) => sum + end - start, 0)
}

/** Deletes the topic, if it is there, and waits until it is gone. */
export const remove = async (place: Place, name: string): Promise<void> => {
  if ((await recordsIn(place, name)) === undefined) return
  await ask(place, "deleteTopics", { topics: [name] })
  while ((await recordsIn(place, name)) !== undefined) await new Promise((resolve) => setTimeout(resolve, 200))
}

/** Makes and fills the topic unless it is there with all of its records. True when it had to be loaded. */
export const provide = async (place: Place, wanted: BenchTopic): Promise<boolean> => {
  const there = await recordsIn(place, wanted.name)
  if (there === wanted.records) return false
  if (there !== undefined) await ask(place, "deleteTopics", { topics: [wanted.name] })
  await ask(place, "createTopics", { topics: [{ name: wanted.name, partitions: wanted.partitions }] })
  if (wanted.records === 0) return true
  const { keyBytes, name, records, source, valueBytes } = wanted
  await ask(place, "load", { topic: name, count: records, seed: 1, codec: source, keyBytes, valueBytes })
  return true
}
