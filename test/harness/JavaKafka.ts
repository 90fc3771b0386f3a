import { createReadStream } from "node:fs"
import { createInterface } from "node:readline"
import { JavaTool } from "./JavaTool.ts"

/** Settings of Kafka's Java clients under their own names, such as `security.protocol`. */
export type ClientConfig = Readonly<Record<string, string>>

export type Codec = "none" | "gzip" | "snappy" | "lz4" | "zstd"

export interface TopicToCreate {
  readonly name: string
  /** 1 unless said. */
  readonly partitions?: number
  readonly replicas?: number
  /** `retention.ms` is -1 unless said: records with old timestamps would be deleted within seconds. */
  readonly config?: Readonly<Record<string, string | number | boolean>>
}

export interface TopicDescription {
  readonly name: string
  /** As Kafka prints it: 22 characters of base64url. */
  readonly id: string
  readonly partitions: ReadonlyArray<{
    readonly partition: number
    /** Broker id, -1 for none. */
    readonly leader: number
    readonly replicas: ReadonlyArray<number>
    readonly isr: ReadonlyArray<number>
  }>
}

export interface PartitionOffsets {
  readonly partition: number
  /** Log start: first offset that can be read. */
  readonly start: number
  /** Last stable offset: read_committed readers stop before it. */
  readonly stable: number
  /** High watermark: first offset that is not there yet. */
  readonly end: number
}

/** What to write. Strings become UTF-8; undefined and null are Kafka's null, which is not the empty string. */
export interface RecordToProduce {
  readonly partition?: number
  readonly key?: string | Uint8Array | null
  readonly value?: string | Uint8Array | null
  /** Milliseconds since 1970. */
  readonly timestamp?: number
  readonly headers?: ReadonlyArray<readonly [key: string, value: string | Uint8Array | null]>
}

export interface Produced {
  readonly records: ReadonlyArray<{ readonly partition: number; readonly offset: number }>
  readonly transactionalId?: string
}

export interface Load {
  readonly topic: string
  readonly count: number
  /** Same seed, same bytes. */
  readonly seed?: number
  /**
   * `json`: compressible text (the default); `random`: noise; `mixed`: nulls, empties, headers of all kinds, odd sizes;
   * `keyed`: the same without null keys, which compacted topics refuse.
   */
  readonly shape?: "json" | "random" | "mixed" | "keyed"
  /** `rotate` changes codec every 1,000 records (every transaction, when there are some). */
  readonly codec?: Codec | "rotate"
  /** 24 unless said; ignored by `mixed` and `keyed`. */
  readonly keyBytes?: number
  /** 1,000 unless said; for `mixed` the usual upper limit, which one record in twelve exceeds up to tenfold. */
  readonly valueBytes?: number
  /** Records per transaction; each third transaction is aborted. No transactions when absent. */
  readonly transactionEvery?: number
  /** Milliseconds since 1970 of record 0; each next record is 1 ms later. */
  readonly firstTimestamp?: number
  /** Number of the first record, to continue an earlier load. Record i goes to partition i modulo partitions. */
  readonly firstIndex?: number
  /** More settings of the Java producer, such as `batch.size`. */
  readonly producer?: ClientConfig
}

export interface Loaded {
  readonly records: number
  /** Of `records`, those in aborted transactions. */
  readonly aborted: number
  /** Key and value bytes, aborted ones included. */
  readonly bytes: number
  readonly seed: number
  readonly millis: number
}

/** A record as the Java consumer read it; byte strings in base64. */
export interface DumpedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: ReadonlyArray<readonly [key: string, value: string | null]>
}

export interface PartitionDigest {
  readonly topic: string
  readonly partition: number
  readonly records: number
  /** Key and value bytes. */
  readonly bytes: number
  readonly start: number
  readonly end: number
  /** See Dump.java for what is hashed; RecordDigest.ts computes the same. */
  readonly sha256: string
}

export type AclOperation =
  | "READ"
  | "WRITE"
  | "CREATE"
  | "DELETE"
  | "ALTER"
  | "DESCRIBE"
  | "DESCRIBE_CONFIGS"
  | "ALTER_CONFIGS"
  | "ALL"

export interface Acl {
  readonly user: string
  readonly resource: "TOPIC" | "GROUP" | "CLUSTER" | "TRANSACTIONAL_ID"
  /** Not for CLUSTER. */
  readonly name?: string
  readonly pattern?: "LITERAL" | "PREFIXED"
  readonly operations: ReadonlyArray<AclOperation>
  readonly permission?: "ALLOW" | "DENY"
}

export interface Connection {
  /** Comma-separated `host:port`. */
  readonly bootstrap: string
  readonly client?: ClientConfig
}

export interface Options extends Connection {
  /** From `services.java`. */
  readonly classpath: string
}

const base64 = (bytes: string | Uint8Array | null | undefined): string | null => {
  if (bytes === null || bytes === undefined) return null
  return typeof bytes === "string"
    ? Buffer.from(bytes).toString("base64")
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64")
}

/**
 * Kafka's own Java clients in one JVM that lives until `close`: it sets scenes (topics, records, transactions, ACLs,
 * quotas) and reads back what is there, independently of our reader. Calls may overlap.
 */
export class JavaKafka implements AsyncDisposable {
  readonly #tool: JavaTool
  readonly #connection: Connection

  private constructor(tool: JavaTool, connection: Connection) {
    this.#tool = tool
    this.#connection = connection
  }

  /** Starts the JVM (about a second) and waits until it answers. */
  static async start({ classpath, ...connection }: Options): Promise<JavaKafka> {
    const tool = new JavaTool(classpath)
    await tool.call("ping", {})
    return new JavaKafka(tool, connection)
  }

  /** The same JVM on another cluster or as another user. */
  connect(connection: Connection): JavaKafka {
    return new JavaKafka(this.#tool, connection)
  }

  #call<A>(op: string, request: object): Promise<A> {
    return this.#tool.call(op, { ...this.#connection, ...request })
  }

  /** Creates topics and waits for their leaders; gives topic ids by name. */
  createTopics(...topics: ReadonlyArray<TopicToCreate>): Promise<Readonly<Record<string, string>>> {
    return this.#call("createTopics", { topics })
  }

  /** Deletes topics and waits until they are gone; missing ones are fine. */
  async deleteTopics(...topics: ReadonlyArray<string>): Promise<void> {
    await this.#call("deleteTopics", { topics })
  }

  describeTopics(...topics: ReadonlyArray<string>): Promise<ReadonlyArray<TopicDescription>> {
    return this.#call("describeTopics", { topics })
  }

  async addPartitions(topic: string, total: number): Promise<void> {
    await this.#call("addPartitions", { topic, total })
  }

  /** Offsets of all partitions, by topic. */
  offsets(...topics: ReadonlyArray<string>): Promise<Readonly<Record<string, ReadonlyArray<PartitionOffsets>>>> {
    return this.#call("offsets", { topics })
  }

  /** Deletes records before an offset, by partition. */
  async deleteRecords(topic: string, before: Readonly<Record<number, number>>): Promise<void> {
    await this.#call("deleteRecords", { topic, before })
  }

  /** Makes broker `to` the leader of a partition. */
  async moveLeader(topic: string, partition: number, to: number): Promise<void> {
    await this.#call("moveLeader", { topic, partition, to })
  }

  async alterTopic(topic: string, set: Readonly<Record<string, string | number | boolean>>): Promise<void> {
    await this.#call("alterConfig", { kind: "TOPIC", name: topic, set })
  }

  async alterBroker(id: number, set: Readonly<Record<string, string | number | boolean>>): Promise<void> {
    await this.#call("alterConfig", { kind: "BROKER", name: String(id), set })
  }

  /** Bytes per second that a user or client id may read; null lifts the limit. */
  async limitReads(
    who: { readonly user?: string; readonly clientId?: string },
    bytesPerSecond: number | null
  ): Promise<void> {
    await this.#call("setQuota", { ...who, key: "consumer_byte_rate", value: bytesPerSecond })
  }

  /** Bytes per second that a user or client id may write; null lifts the limit. */
  async limitWrites(
    who: { readonly user?: string; readonly clientId?: string },
    bytesPerSecond: number | null
  ): Promise<void> {
    await this.#call("setQuota", { ...who, key: "producer_byte_rate", value: bytesPerSecond })
  }

  async setScram(user: string, mechanism: "SCRAM-SHA-256" | "SCRAM-SHA-512", password: string): Promise<void> {
    await this.#call("setScram", { user, mechanism, password })
  }

  async grant(...acls: ReadonlyArray<Acl>): Promise<void> {
    await this.#call("grant", { acls })
  }

  async revoke(...acls: ReadonlyArray<Acl>): Promise<void> {
    await this.#call("revoke", { acls })
  }

  /** Sets a group's offsets, by topic and partition; the group must have no members. */
  async commitOffsets(
    group: string,
    offsets: Readonly<Record<string, Readonly<Record<number, number>>>>
  ): Promise<void> {
    await this.#call("commitOffsets", { group, offsets })
  }

  groupOffsets(group: string): Promise<Readonly<Record<string, Readonly<Record<number, number>>>>> {
    return this.#call("groupOffsets", { group })
  }

  async deleteGroup(group: string): Promise<void> {
    await this.#call("deleteGroup", { group })
  }

  /**
   * A member joins the group, reads so many records and commits after them; gives where they lie, in the order of
   * reading. It leaves the group unless it shall stay.
   */
  consume(request: {
    readonly group: string
    readonly topics: ReadonlyArray<string>
    readonly max: number
    readonly stay?: boolean
    /** Text beside each committed offset. */
    readonly metadata?: string
    /** KIP-848 with `consumer`. */
    readonly protocol?: "classic" | "consumer"
  }): Promise<ReadonlyArray<{ readonly topic: string; readonly partition: number; readonly offset: number }>> {
    const { protocol, ...rest } = request
    const { client } = this.#connection
    const asked = protocol === undefined ? {} : { client: { ...client, "group.protocol": protocol } }
    return this.#call("consume", { ...rest, ...asked })
  }

  /** The member that stayed in the group leaves it. */
  async leave(group: string): Promise<void> {
    await this.#call("leave", { group })
  }

  /** Writes records in order; they have their offsets when this resolves. */
  produce(
    topic: string,
    records: ReadonlyArray<RecordToProduce>,
    options: {
      readonly codec?: Codec
      /**
       * `open` leaves the transaction open until `endTransaction` or `close`; a later `produce` with its id continues
       * it.
       */
      readonly transaction?: "commit" | "abort" | "open"
      readonly transactionalId?: string
      readonly producer?: ClientConfig
    } = {}
  ): Promise<Produced> {
    const encoded = records.map((record) => ({
      ...record,
      key: base64(record.key),
      value: base64(record.value),
      headers: record.headers?.map(([key, value]) => [key, base64(value)])
    }))
    return this.#call("produce", { topic, records: encoded, ...options })
  }

  async endTransaction(transactionalId: string, fate: "commit" | "abort"): Promise<void> {
    await this.#call("endTransaction", { transactionalId, commit: fate === "commit" })
  }

  /** Writes many generated records. */
  load(load: Load): Promise<Loaded> {
    return this.#call("load", load)
  }

  /**
   * Writes every committed record up to the ends found now as JSON lines (`DumpedRecord`) to `file`, ordered by topic,
   * partition and offset; gives their number.
   */
  async dumpTo(file: string, ...topics: ReadonlyArray<string>): Promise<number> {
    const { records } = await this.#call<{ readonly records: number }>("dump", { topics, file })
    return records
  }

  /** Number and hash of every partition's committed records, for sets too large to compare one by one. */
  digest(...topics: ReadonlyArray<string>): Promise<ReadonlyArray<PartitionDigest>> {
    return this.#call("digest", { topics })
  }

  /** As `digest`, of what a consumer gets that reads open and aborted transactions, too. */
  digestUncommitted(...topics: ReadonlyArray<string>): Promise<ReadonlyArray<PartitionDigest>> {
    return this.#call("digest", { topics, isolation: "read_uncommitted" })
  }

  /** Ends the JVM as a crash would: what was left open stays open in the cluster. */
  async close(): Promise<void> {
    await this.#tool.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** Reads a dump one record at a time. */
export async function* readDump(file: string): AsyncGenerator<DumpedRecord> {
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    yield JSON.parse(line) as DumpedRecord
  }
}
