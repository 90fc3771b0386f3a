import type { JavaKafka } from "../harness/JavaKafka.ts"
import type { makeRandom } from "./random.ts"
import { dumped, placeOf, type View, Viewing } from "./Views.ts"

/** A view, and how many records of it an earlier backup did not reach; the compacted topic is not counted. */
export interface Seen extends View {
  readonly newRecords: number
}

/** Where a backup ends in each partition (exclusive), by `topic/partition`. */
export type Cut = ReadonlyMap<string, number>

/** What was done to the topics before a backup, beside writing. */
export type Happening = "nothing" | "quiet" | "deleted" | "recreated" | "grown" | "added"

/** Why the backup after it reads partitions in full. */
export const readInFull: Readonly<Record<Happening, ReadonlyArray<string>>> = {
  nothing: [],
  quiet: [],
  deleted: [],
  recreated: ["TopicRecreated"],
  grown: ["PartitionNew"],
  added: ["TopicNew"]
}

/** The first hours, whatever the seed; then it is chosen. */
const first: ReadonlyArray<Happening> = ["nothing", "nothing", "deleted", "recreated", "grown", "added", "deleted"]
const later = ["nothing", "nothing", "nothing", "deleted", "recreated", "grown", "added"] as const
const most = { recreated: 4, grown: 4, added: 3 } as const

/** Nothing comes in every eighth hour. */
export const isQuiet = (n: number): boolean => n % 8 === 7

/**
 * Topics with a life: each hour records come, plain ones, in transactions and to a compacted topic; now and then
 * records are deleted, a topic is made anew, grown or added. They are seen through Kafka's own Java clients.
 */
export class HourlyTopics {
  /** Records and bytes of keys and values that were ever written, aborted ones included. */
  readonly written = { records: 0, bytes: 0 }
  #heldBytes = 0
  readonly compacted: string
  readonly #java: JavaKafka
  readonly #prefix: string
  readonly #random: ReturnType<typeof makeRandom>
  readonly #names = ["plain", "transactions", "deleted", "recreated", "idle"]
  readonly #happened = { recreated: 0, grown: 0, added: 0 }
  #index = 0
  #partitions = 4
  #deletedBelow = 0
  #open: string | undefined
  #coming: Promise<void> | undefined

  constructor(java: JavaKafka, prefix: string, random: ReturnType<typeof makeRandom>) {
    this.#java = java
    this.#prefix = prefix
    this.#random = random
    this.compacted = this.name("compacted")
  }

  name(topic: string): string {
    return `${this.#prefix}-${topic}`
  }

  /** All but the compacted one. */
  get names(): ReadonlyArray<string> {
    return this.#names.map((name) => this.name(name))
  }

  /** Of the bytes written, those that an open transaction does not hold back from consumers. */
  get decidedBytes(): number {
    return this.written.bytes - this.#heldBytes
  }

  async create(): Promise<void> {
    await this.#java.createTopics(
      { name: this.name("plain"), partitions: this.#partitions },
      { name: this.name("transactions"), partitions: 2 },
      { name: this.name("deleted") },
      { name: this.name("recreated") },
      { name: this.name("idle"), partitions: 2 },
      {
        name: this.compacted,
        config: {
          "cleanup.policy": "compact",
          "segment.ms": 1000,
          "min.cleanable.dirty.ratio": 0.01,
          "delete.retention.ms": 86_400_000
        }
      }
    )
    await this.#load("plain", 16_000, { codec: "rotate" })
    await this.#load("transactions", 4000, { transactionEvery: 40 })
    await this.#load("deleted", 3000)
    await this.#load("recreated", 3000)
  }

  async #load(topic: string, count: number, more: object = {}): Promise<void> {
    const { bytes, records } = await this.#java.load({
      topic: this.name(topic),
      count,
      seed: this.#index,
      firstIndex: this.#index,
      valueBytes: 500,
      ...more
    })
    this.#index += count
    this.#count(topic, records, bytes)
  }

  async #produce(topic: string, records: Parameters<JavaKafka["produce"]>[1], options = {}): Promise<void> {
    await this.#java.produce(this.name(topic), records, options)
    const length = (text: string | Uint8Array | null | undefined) => text?.length ?? 0
    const bytes = records.reduce((sum, { key, value }) => sum + length(key) + length(value), 0)
    this.#count(topic, records.length, bytes)
  }

  #count(topic: string, records: number, bytes: number): void {
    this.written.records += records
    this.written.bytes += bytes
    if (this.#open !== undefined && topic === "transactions") this.#heldBytes += bytes
  }

  /** Between two backups; gives what happened. */
  async hour(n: number): Promise<Happening> {
    this.#coming = undefined
    if (isQuiet(n)) return "quiet"
    const happening = first[n] ?? this.#choose()
    await this.#endTransaction(n % 3 === 0 ? "abort" : "commit")
    await this.#load("plain", 400)
    await this.#load("transactions", 120, { transactionEvery: 40 })
    await this.#produce(
      "compacted",
      Array.from({ length: 300 }, (_, i) => ({
        key: `key-${(i + n * 37) % 200}`,
        value: i % 11 === n % 11 ? null : `value ${n} ${i}`.padEnd(200, ".")
      }))
    )
    await this.#let(happening)
    if (n % 4 === 1) {
      this.#open = `${this.#prefix}-${n}`
      await this.#produce("transactions", [{ partition: 0, key: "open", value: `since hour ${n}` }], {
        transaction: "open",
        transactionalId: this.#open
      })
      await this.#load("transactions", 80, { transactionEvery: 40 })
    }
    return happening
  }

  /** What comes while the backups of an hour are made: begins with the first call. */
  meanwhile(): Promise<void> {
    return (this.#coming ??= this.#come())
  }

  /** Waits for what comes meanwhile, if it has begun to come. */
  async arrived(): Promise<void> {
    await this.#coming
  }

  async #come(): Promise<void> {
    await this.#load("plain", 100)
    await this.#load("transactions", 40, { transactionEvery: 20 })
  }

  async #endTransaction(fate: "commit" | "abort"): Promise<void> {
    if (this.#open === undefined) return
    await this.#java.endTransaction(this.#open, fate)
    this.#open = undefined
    this.#heldBytes = 0
  }

  /** Nothing is undecided any more. */
  async settle(): Promise<void> {
    await this.#endTransaction("commit")
  }

  #choose(): Happening {
    const happening = this.#random.choose(later)
    return happening in most && this.#happened[happening as keyof typeof most] >= most[happening as keyof typeof most]
      ? "nothing"
      : happening
  }

  async #let(happening: Happening): Promise<void> {
    switch (happening) {
      case "deleted": {
        // First a part, then all that is left; later the beginning of a topic that grows, mostly within a segment.
        if (this.#deletedBelow < 3000) {
          this.#deletedBelow = this.#deletedBelow === 0 ? 1234 : 3000
          return this.#java.deleteRecords(this.name("deleted"), { 0: this.#deletedBelow })
        }
        const [partition] = (await this.#java.offsets(this.name("plain")))[this.name("plain")]!
        const { end, start } = partition!
        const before = start + this.#random.between(1, Math.floor((end - start) / 4))
        return this.#java.deleteRecords(this.name("plain"), { 0: before })
      }
      case "recreated":
        this.#happened.recreated++
        await this.#java.deleteTopics(this.name("recreated"))
        await this.#java.createTopics({ name: this.name("recreated") })
        // More than there was: only the id tells.
        return this.#load("recreated", 3000 + 500 * this.#happened.recreated)
      case "grown":
        this.#happened.grown++
        await this.#java.addPartitions(this.name("plain"), ++this.#partitions)
        return this.#produce("plain", [{ partition: this.#partitions - 1, key: "first", value: "of a new partition" }])
      case "added": {
        const name = `new-${++this.#happened.added}`
        this.#names.push(name)
        await this.#java.createTopics({ name: this.name(name) })
        return this.#load(name, 500)
      }
      default:
        return
    }
  }

  /** How many records of the compacted topic the brokers have removed. */
  async compactedAway(): Promise<number> {
    const [partition] = await this.#java.digest(this.compacted)
    const { end, records, start } = partition!
    return end - start - records
  }

  /** Last stable offsets, by `topic/partition`. */
  async stable(): Promise<Cut> {
    const offsets = await this.#java.offsets(...this.names, this.compacted)
    return new Map(
      Object.entries(offsets).flatMap(([topic, partitions]) =>
        partitions.map(({ partition, stable }) => [`${topic}/${partition}`, stable] as const)
      )
    )
  }

  /**
   * What Kafka's own consumer reads below each `cut`, and how much of it is not below the `earlier` one. A topic that
   * was made anew must not be in the earlier one.
   */
  async seen(
    folder: string,
    ...cuts: ReadonlyArray<{ readonly cut: Cut; readonly earlier: Cut }>
  ): Promise<ReadonlyArray<Seen>> {
    const found = cuts.map((one) => ({ ...one, viewing: new Viewing(this.compacted), newRecords: 0 }))
    for await (const record of dumped(this.#java, folder, [...this.names, this.compacted])) {
      const place = placeOf(record)
      for (const one of found) {
        if (record.offset >= (one.cut.get(place) ?? 0)) continue
        one.viewing.add(record)
        if (record.topic !== this.compacted && record.offset >= (one.earlier.get(place) ?? 0)) one.newRecords++
      }
    }
    return found.map(({ newRecords, viewing }) => ({ ...viewing.end(), newRecords }))
  }
}
