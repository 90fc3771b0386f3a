import { crc32, zstdDecompressSync } from "node:zlib"
import { uncompressSync } from "lz4-napi"

/*
 * Reads a backup by docs/storage-format.md alone, as a program would that somebody wrote from that page: it imports
 * nothing of the product, and knows nothing of backups that build on others. Whatever it has to know and the page does
 * not say is a fault of the page.
 */

export interface StrangersRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: ReadonlyArray<readonly [Buffer, Buffer | null]>
}

/** The bytes of the object with this key below the root; undefined where there is none. */
export type ReadObject = (key: string) => Promise<Buffer | undefined>

interface Segment {
  readonly key: string
  readonly start_offset: number
  readonly end_offset: number
  readonly record_count: number
}

const check = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(`the page does not say this: ${what}`)
}

/** Walks through bytes; integers are little-endian. */
class Cursor {
  at = 0
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.at === this.#bytes.length
  }

  int16(): number {
    return this.#bytes.readUInt16LE((this.at += 2) - 2)
  }

  int32(): number {
    return this.#bytes.readInt32LE((this.at += 4) - 4)
  }

  int64(): number {
    return Number(this.#bytes.readBigInt64LE((this.at += 8) - 8))
  }

  /** So many bytes; −1 stands for null. */
  bytes(length: number): Buffer | null {
    if (length === -1) return null
    check(length >= 0 && this.at + length <= this.#bytes.length, `a length of ${length} at byte ${this.at}`)
    return this.#bytes.subarray(this.at, (this.at += length))
  }
}

/** Frame by frame: Node's decoder ends with the first one, without a word. */
const inflateFrames = (body: Buffer): Buffer => {
  const inflated: Array<Buffer> = []
  for (let rest = body; rest.length > 0;) {
    const { buffer, engine } = zstdDecompressSync(rest, { info: true }) as unknown as {
      readonly buffer: Buffer
      readonly engine: { readonly bytesWritten: number }
    }
    inflated.push(buffer)
    rest = rest.subarray(engine.bytesWritten)
  }
  return Buffer.concat(inflated)
}

const inflate = (codec: number, body: Buffer): Buffer => {
  switch (codec) {
    case 0:
      return body
    case 1:
      return inflateFrames(body)
    case 2: {
      const stream = Buffer.from(uncompressSync(body))
      check(stream.length === body.readUInt32LE(0), "another length of an lz4 block")
      return stream
    }
    default:
      throw new Error(`the page has no codec ${codec}`)
  }
}

/** The records of a segment, in order. */
export const recordsOf = (file: Buffer, topic: string, partition: number): ReadonlyArray<StrangersRecord> => {
  check(file.toString("latin1", 0, 4) === "KBAK" && file[4] === 1 && file.readUInt16LE(6) === 0, "another header")
  check(file.toString("latin1", file.length - 4) === "BKAE", "another ending")
  const end = file.length - 8
  check(file.readUInt32LE(end) === crc32(file.subarray(0, end)), "another checksum")
  const header = new Cursor(file.subarray(8, 32))
  const [count, first, last] = [header.int64(), header.int64(), header.int64()]
  const stream = new Cursor(inflate(file[5]!, file.subarray(32, end)))
  const records: Array<StrangersRecord> = []
  while (!stream.isAtEnd) {
    const length = stream.int32()
    const until = stream.at + length
    const [timestamp, offset] = [stream.int64(), stream.int64()]
    const [key, value] = [stream.bytes(stream.int32()), stream.bytes(stream.int32())]
    const headers = Array.from({ length: stream.int16() }, () => {
      const name = stream.bytes(stream.int16())!
      return [name, stream.bytes(stream.int32())] as const
    })
    check(stream.at === until, `a record that does not end at its length, at byte ${until}`)
    records.push({ topic, partition, offset, timestamp, key, value, headers })
  }
  check(records.length === count, "another number of records")
  check(records[0]?.offset === first && records.at(-1)?.offset === last, "other offsets than in the header")
  return records
}

interface Facts {
  /** How many headers at the end of each record were not in Kafka. */
  readonly addedHeaders: number
  /** Where the logs began, by topic and partition, where that is above the first record. */
  readonly logStarts: ReadonlyMap<string, number>
}

const factsOf = async (read: ReadObject, backupId: string): Promise<Facts> => {
  const document = await read(`${backupId}/kb-meta.json`)
  if (document === undefined) return { addedHeaders: 0, logStarts: new Map() }
  const { addedHeaders, topics } = JSON.parse(document.toString()).content
  const logStarts = new Map<string, number>()
  for (const { name, partitions } of topics) {
    for (const { logStart, partition } of partitions) {
      if (logStart !== undefined) logStarts.set(`${name}/${partition}`, logStart)
    }
  }
  return { addedHeaders: addedHeaders.length, logStarts }
}

/** Every record of a backup, by topic and partition, in the order of offsets. */
export async function* strangersRecords(read: ReadObject, backupId: string): AsyncGenerator<StrangersRecord> {
  const document = await read(`${backupId}/manifest.json`)
  if (document === undefined || (await read(`${backupId}/tombstone.json`)) !== undefined) {
    throw new Error(`${backupId} is no backup`)
  }
  const { addedHeaders, logStarts } = await factsOf(read, backupId)
  for (const topic of JSON.parse(document.toString()).topics) {
    for (const { partition_id: partition, segments } of topic.partitions) {
      const logStart = logStarts.get(`${topic.name}/${partition}`) ?? 0
      let before = -1
      for (const { end_offset, key, record_count, start_offset } of segments as ReadonlyArray<Segment>) {
        check(start_offset > before, `segments that are not in the order of offsets: ${key}`)
        before = end_offset
        const file = await read(key)
        if (file === undefined) throw new Error(`${key} is not there`)
        const records = recordsOf(file, topic.name, partition)
        check(records.length === record_count, `another number of records than the manifest says: ${key}`)
        for (const { headers, ...record } of records) {
          if (record.offset < logStart) continue
          yield { ...record, headers: headers.slice(0, headers.length - addedHeaders) }
        }
      }
    }
  }
}
