import { once } from "node:events"
import { performance } from "node:perf_hooks"
import { assert } from "vitest"
import type { S3Store } from "../../scripts/services/ObjectStores.ts"
import { type ReadObject, strangersRecords } from "../harness/StrangersReader.ts"
import { CountedStore, type Requests } from "./CountedStore.ts"
import type { Cut, HourlyTopics } from "./HourlyTopics.ts"
import { exported, onS3, reportOf, start, succeed, type Workspace } from "./product.ts"
import type { makeRandom } from "./random.ts"
import { createBucket, deleteObjects, keysBelow, objectReader } from "./scenes.ts"
import type { SlotCost } from "./SlotCosts.ts"
import { type View, Viewing } from "./Views.ts"

/** Where the backups of some topics go, and how many stay. */
interface Setting {
  readonly workspace: Workspace
  readonly bucket: string
  readonly bootstrap: string
  readonly topics: HourlyTopics
  readonly kept: number
  readonly random: ReturnType<typeof makeRandom>
}

/** A backup as it was made; `facts` and `report` are documents of the product. */
export interface Made {
  readonly report: any
  readonly facts: any
  readonly cut: Cut
  /** Attempts that were ended on their way. */
  readonly met: number
}

/** Small segments of a partition that a run has made one. */
export interface Join {
  readonly key: string
  readonly codec: string
  readonly bytes: number
}

const prefix = "sets"

const isJoined = (key: string) => key.includes(".joined")

/** Topic and partition of a segment, as its key has them. */
const placeIn = (key: string) => key.split("/").slice(1, -1).join("/")

/** Bytes of the record stream of a segment that no segment of the backup before holds. */
const newIn = (one: any, before: ReadonlyArray<any>): number => {
  if (!isJoined(one.key)) return one.uncompressed_size
  const parts = before.filter(
    ({ end_offset, key, start_offset }) =>
      placeIn(key) === placeIn(one.key) && start_offset >= one.start_offset && end_offset <= one.end_offset
  )
  return one.uncompressed_size - sum(parts, ({ uncompressed_size }) => uncompressed_size)
}

/** By the ending of its name, as the page of the format has it. */
const codecOf = (key: string) => (key.endsWith(".zst") ? "zstd" : key.endsWith(".lz4") ? "lz4" : "none")

const sum = <A>(items: ReadonlyArray<A>, pick: (item: A) => number) =>
  items.reduce((total, item) => total + pick(item), 0)

const cutOf = (facts: any): Cut =>
  new Map(
    facts.topics.flatMap(({ name, partitions }: any) =>
      partitions.map(({ partition, until }: any) => [`${name}/${partition}`, until])
    )
  )

/** The slot of the n-th hour. */
const slotOf = (n: number) => new Date(Date.UTC(2026, 0, 1, n)).toISOString().replace(".000Z", "Z")

/** A KafkaBackup with one store, its backups in the order of their slots, and what they cost. */
export class HourlyBackups implements AsyncDisposable {
  readonly name: string
  readonly reports: Array<any> = []
  readonly costs: Array<SlotCost> = []
  /** What each backup has joined. */
  readonly joins: Array<ReadonlyArray<Join>> = []
  /** What the independent consumer saw at the cut of each backup. */
  readonly seen = new Map<string, View>()
  readonly #setting: Setting
  readonly #store: CountedStore
  readonly #read: ReadObject
  #files: ReadonlyArray<string> = []
  /** Segments of the newest backup. */
  #segments: ReadonlyArray<any> = []
  /** Bytes that had been written to Kafka when the newest backup began that no open transaction held back. */
  #covered = 0
  /** How long a run takes from its first words on. */
  #millis = 0

  private constructor(name: string, store: CountedStore, setting: Setting) {
    this.name = name
    this.#store = store
    this.#setting = setting
    this.#read = objectReader(store.store, setting.bucket, prefix)
  }

  static async make(name: string, store: S3Store, setting: Setting): Promise<HourlyBackups> {
    await createBucket(store, setting.bucket)
    const backups = new HourlyBackups(name, await CountedStore.before(store), setting)
    backups.compress("zstd")
    return backups
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]()
  }

  /** How the next backups are compressed: in another way than those that they build on, too. */
  compress(compression: "zstd" | "lz4" | "none"): void {
    const { bootstrap, kept, topics, workspace } = this.#setting
    this.#files = workspace.manifest(this.name, {
      kafkaCluster: { bootstrapServers: [bootstrap] },
      topics: [topics.name("*")],
      storage: this.storage,
      incremental: { enabled: true },
      retention: { backups: kept },
      checkpointIntervalSecs: 1,
      compression
    })
  }

  get storage(): object {
    return onS3(this.#store.store, this.#setting.bucket, prefix)
  }

  /** Runs a command with this resource; fails when it does not end well. */
  command(name: string, ...args: ReadonlyArray<string>) {
    return succeed(name, ...this.#files, ...args)
  }

  /** The report of a run of the n-th hour. */
  async run(n: number, ...args: ReadonlyArray<string>): Promise<any> {
    return reportOf(await this.command("run", "--slot", slotOf(n), ...args))
  }

  async list(): Promise<ReadonlyArray<any>> {
    return JSON.parse((await this.command("list", "-o", "json")).stdout)
  }

  /** How many segments a backup names that were made of others, by itself or by an earlier one. */
  async joinedSegments(backupId: string): Promise<number> {
    return (await this.#partitions(backupId)).flat().filter(({ key }) => isJoined(key)).length
  }

  /**
   * Objects of backups. What is kept of a resource without uid is not among them: its slots are not backed up twice.
   */
  async objects(): Promise<ReadonlyArray<string>> {
    const keys = await keysBelow(this.#store.store, this.#setting.bucket, `${prefix}/`)
    return keys.filter((key) => !key.startsWith(`${prefix}/_kafka-backup/`))
  }

  /** What a program reads that knows the page of the format alone. */
  async strangersView(backupId: string): Promise<View> {
    const viewing = new Viewing(this.#setting.topics.compacted)
    for await (const record of strangersRecords(this.#read, backupId)) viewing.add(record)
    return viewing.end()
  }

  /** What `export` prints of these topics. */
  async exportedView(backupId: string, topics: ReadonlyArray<string>): Promise<View> {
    const viewing = new Viewing(this.#setting.topics.compacted)
    const add = async (topic: string) => {
      for await (const record of exported(...this.#files, backupId, "--topic", topic)) viewing.add(record)
    }
    await Promise.all(topics.map(add))
    return viewing.end()
  }

  /**
   * The backup of the n-th hour. So many attempts are ended at random moments, if they do not end before by themselves;
   * during the last one records come, if it is live.
   */
  async backUp(n: number, wanted: number, isLive: boolean): Promise<Made> {
    const { random, topics } = this.#setting
    const args = ["run", ...this.#files, "--slot", slotOf(n)]
    const begun = topics.decidedBytes
    for (let met = 0; ; met++) {
      this.#store.take()
      const from = performance.now()
      const { ended, process } = start(args)
      await Promise.race([ended, once(process.stderr!, "data")])
      const spoke = performance.now()
      const isLast = met === wanted
      const timer = isLast ? undefined : setTimeout(() => process.kill("SIGKILL"), random.between(0, this.#millis))
      if (isLast && isLive) await topics.meanwhile()
      const run = await ended
      clearTimeout(timer)
      await topics.arrived()
      if (run.code === undefined) {
        await this.#letLocksExpire()
        continue
      }
      assert.strictEqual(run.code, 0, run.stderr)
      if (isLast && !isLive) this.#millis = Math.round(performance.now() - spoke)
      const report = reportOf(run)
      await this.#note(n, met, report, this.#store.take(), (performance.now() - from) / 1000)
      this.#covered = begun
      const { content: facts } = await this.#document(report.backupId, "kb-meta.json")
      return { report, facts, met, cut: cutOf(facts) }
    }
  }

  async #note(slot: number, kills: number, report: any, requests: Requests, seconds: number): Promise<void> {
    const { backupId } = report
    const partitions = await this.#partitions(backupId)
    const isOwn = ({ key }: { readonly key: string }) => key.startsWith(`${backupId}/`)
    const before = this.#segments
    this.#segments = partitions.flat()
    this.reports.push(report)
    this.joins.push(
      this.#segments
        .filter((one) => isOwn(one) && isJoined(one.key))
        .map(({ compressed_size, key }) => ({ key, codec: codecOf(key), bytes: compressed_size }))
    )
    this.costs.push({
      slot,
      store: this.name,
      kills,
      newRecords: report.totals.newRecords,
      newBytes: this.#setting.topics.written.bytes - this.#covered,
      kafkaBytes: report.added.fetchedBytes,
      newStoredBytes: report.totals.newStoredBytes,
      joinedStoredBytes: report.totals.joinedStoredBytes ?? 0,
      requests,
      seconds,
      partitions: partitions.map((segments) => ({
        bytes: sum(segments, ({ uncompressed_size }) => uncompressed_size),
        newBytes: sum(segments, (one) => (isOwn(one) ? newIn(one, before) : 0))
      }))
    })
  }

  /** As if two minutes had passed: for so long the lock stays of an attempt that was killed while it held it. */
  async #letLocksExpire(): Promise<void> {
    const store = this.#store.store
    const { bucket } = this.#setting
    await deleteObjects(store, bucket, await keysBelow(store, bucket, `${prefix}/_kafka-backup/locks/`))
  }

  async #document(backupId: string, name: string): Promise<any> {
    return JSON.parse((await this.#read(`${backupId}/${name}`))!.toString())
  }

  /** Segments of the manifest, by partition. */
  async #partitions(backupId: string): Promise<ReadonlyArray<ReadonlyArray<any>>> {
    const { topics } = await this.#document(backupId, "manifest.json")
    return topics.flatMap(({ partitions }: any) => partitions.map(({ segments }: any) => segments))
  }
}
