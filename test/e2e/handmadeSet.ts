import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { json } from "../segment/kbak/jsonSegments.ts"
import type { PlainRecord } from "../segment/plainRecords.ts"

/** A topic of one partition, with the offsets that its records have. */
export interface HandmadeTopic {
  readonly name: string
  readonly configurations?: Readonly<Record<string, string>>
  readonly records: ReadonlyArray<{
    readonly offset: number
    readonly key: string
    readonly value: string
    /** Milliseconds since 1970; those of 2020 unless said. */
    readonly timestamp?: number
  }>
}

const created = 1_600_000_000_000

/**
 * Writes a backup of another tool to a volume: logs that no test can wait for, in which only few offsets have a record.
 */
export const writeSet = (volume: string, backupId: string, topics: ReadonlyArray<HandmadeTopic>): void => {
  const put = (key: string, bytes: Buffer) => {
    const file = join(volume, key)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, bytes)
  }
  const manifest = {
    backup_id: backupId,
    created_at: created,
    topics: topics.map(({ configurations, name, records }) => {
      const timestamps = records.map(({ offset, timestamp = created + (offset % 1000) }) => timestamp)
      const plain = records.map(({ key, offset, value }, i): PlainRecord => ({
        offset: BigInt(offset),
        timestamp: BigInt(timestamps[i]!),
        key: Buffer.from(key),
        value: Buffer.from(value),
        headers: []
      }))
      const key = `${backupId}/topics/${name}/partition=0/segment-000000.bin`
      put(key, json(plain))
      const [first, last] = [records[0]!.offset, records.at(-1)!.offset]
      const segment = {
        key,
        start_offset: first,
        end_offset: last,
        start_timestamp: Math.min(...timestamps),
        end_timestamp: Math.max(...timestamps),
        record_count: records.length
      }
      return {
        name,
        ...(configurations === undefined ? {} : { configurations }),
        partitions: [{ partition_id: 0, segments: [segment] }]
      }
    })
  }
  put(`${backupId}/manifest.json`, Buffer.from(JSON.stringify(manifest)))
}
