import { Schema } from "effect"
import type { RecordBatch } from "../../src/kafka/batch/RecordBatch.ts"
import { batchOf, type PlainRecord } from "./plainRecords.ts"

/** Seeds of the generator below; a failing property prints the seed that failed. */
export const Seed = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 0x7fffffff }))

/** Numbers in [0, 1), always the same for the same seed (xorshift). */
export const random = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 0x1_0000_0000
  }
}

const baseOffsets = [0n, 1n, 4_294_967_290n, 2_147_483_640n, 123_456_789_012_345n, 9_007_199_200_000_000n]
const baseTimestamps = [0n, -1n, -5_000_000_000_000n, 1_795_327_000_000n, 4_294_967_295n, -(2n ** 63n), 2n ** 63n - 1n]
const timestampSteps = [0n, 1n, -1n, 63n, -64n, 64n, 8191n, 8192n, 134_217_727n, -134_217_729n, 34_359_738_368n]
const sizes = [0, 0, 1, 7, 8, 9, 63, 64, 127, 128, 255, 256, 257, 300, 5000, 20_000]
const headerKeys = ["a", "a", "1", "", "__proto__", "x-original-offset"]

export interface Scene {
  readonly batches: ReadonlyArray<RecordBatch>
  /** What consumers see, in order. */
  readonly records: ReadonlyArray<PlainRecord>
}

/** Successive batches of one partition, with what is rare in practice made common. */
export const scene = (seed: number): Scene => {
  const next = random(seed)
  const below = (n: number) => Math.floor(next() * n)
  const one = <A>(list: ReadonlyArray<A>): A => list[below(list.length)]!
  const bytes = (size: number) => {
    const words = Buffer.allocUnsafe(size + 3)
    for (let at = 0; at < size; at += 4) words.writeUInt32LE(below(0x1_0000_0000), at)
    return words.subarray(0, size)
  }
  const nullable = () => (next() < 0.15 ? null : bytes(one(sizes)))
  const batches: Array<RecordBatch> = []
  const records: Array<PlainRecord> = []
  let offset = one(baseOffsets)
  for (let b = 1 + below(4); b > 0; b--) {
    const baseOffset = offset
    const baseTimestamp = one(baseTimestamps)
    const logAppendTime = next() < 0.25
    const maxTimestamp = one(baseTimestamps)
    const sent: Array<PlainRecord> = []
    offset += BigInt(next() < 0.2 ? below(100) : 0)
    for (let r = 1 + below(next() < 0.1 ? 200 : 12); r > 0; r--) {
      sent.push({
        offset,
        timestamp: BigInt.asIntN(64, baseTimestamp + one(timestampSteps)),
        key: nullable(),
        value: nullable(),
        headers: Array.from({ length: next() < 0.5 ? 0 : below(next() < 0.1 ? 150 : 4) }, () => [
          next() < 0.5 ? Buffer.from(one(headerKeys)) : bytes(below(300)),
          next() < 0.5 ? nullable() : bytes(below(20))
        ])
      })
      offset += BigInt(next() < 0.1 ? 1 + below(100_000) : 1)
    }
    offset += BigInt(next() < 0.2 ? below(10) : 0)
    const codec = one(["none", "none", "gzip", "lz4", "zstd"] as const)
    batches.push(
      batchOf(sent, { baseOffset, lastOffset: offset - 1n, baseTimestamp, maxTimestamp, logAppendTime, codec })
    )
    records.push(...sent.map((record) => (logAppendTime ? { ...record, timestamp: maxTimestamp } : record)))
  }
  return { batches, records }
}
