import { compress } from "lz4-napi"
import { createHash } from "node:crypto"
import { closeSync, fsyncSync, globSync, openSync, readFileSync, rmSync, writeSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import zlib from "node:zlib"
import { type BenchTopic, java, payloadBytes, type Place } from "./Topics.ts"

/** What this machine can do with the same bytes and nothing around it. */
export interface Limit {
  readonly what: string
  /** 10^6 bytes of input per second, by the clock. */
  readonly megabytesPerSecond: number
  /** CPU seconds per 10^9 bytes of input. */
  readonly cpuSecondsPerGigabyte?: number
}

const mebibyte = 1024 * 1024
const zstdCompress = promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdCompress)

/** Uncompressed segments of a run with output `none`, up to `limitBytes` of them. */
const recordStream = (folder: string, limitBytes: number): Buffer => {
  const parts: Array<Buffer> = []
  let bytes = 0
  for (const name of globSync("**/*.bin", { cwd: folder }).toSorted()) {
    if (bytes >= limitBytes) break
    const part = readFileSync(join(folder, name))
    parts.push(part)
    bytes += part.length
  }
  return Buffer.concat(parts).subarray(0, limitBytes)
}

const measure = async (what: string, bytes: number, work: () => void | Promise<void>): Promise<Limit> => {
  const cpu = process.cpuUsage()
  const started = performance.now()
  await work()
  const seconds = (performance.now() - started) / 1000
  const { system, user } = process.cpuUsage(cpu)
  return {
    what,
    megabytesPerSecond: bytes / 1e6 / seconds,
    cpuSecondsPerGigabyte: (user + system) / 1e6 / (bytes / 1e9)
  }
}

/** Calls `work` for every piece of `size` bytes, with so many calls in flight. */
const inPieces = async (
  data: Buffer,
  size: number,
  inFlight: number,
  work: (piece: Buffer) => Promise<unknown>
): Promise<void> => {
  let at = 0
  const worker = async () => {
    while (at < data.length) {
      const from = at
      at += size
      await work(data.subarray(from, from + size))
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
}

const zstd = (piece: Buffer) =>
  zstdCompress(piece, {
    chunkSize: piece.length + (piece.length >>> 8) + 1024,
    pledgedSrcSize: piece.length,
    params: { [zlib.constants.ZSTD_c_compressionLevel]: 3, [zlib.constants.ZSTD_c_checksumFlag]: 1 }
  })

const writeSynced = (data: Buffer, file: string): void => {
  const descriptor = openSync(file, "w")
  for (let at = 0; at < data.length;) at += writeSync(descriptor, data, at, Math.min(8 * mebibyte, data.length - at))
  fsyncSync(descriptor)
  closeSync(descriptor)
}

/** Compression, checksums and disk on the record stream that the run in `folder` (output `none`) has just written. */
export const ofBytes = async (folder: string): Promise<ReadonlyArray<Limit>> => {
  const data = recordStream(folder, 512 * mebibyte)
  const file = join(folder, "limit")
  const bytes = data.length
  const limits = [
    await measure("zstd-3, 4 MiB at once, 1 thread", bytes, () => inPieces(data, 4 * mebibyte, 1, zstd)),
    await measure("zstd-3, 4 MiB at once, 2 threads", bytes, () => inPieces(data, 4 * mebibyte, 2, zstd)),
    await measure("lz4, 512 KiB at once, 1 thread", bytes, () => inPieces(data, mebibyte / 2, 1, compress)),
    await measure("lz4, 512 KiB at once, 2 threads", bytes, () => inPieces(data, mebibyte / 2, 2, compress)),
    await measure("SHA-256", bytes, () => void createHash("sha256").update(data).digest()),
    await measure("CRC-32", bytes, () => void zlib.crc32(data)),
    await measure("file write and fsync", bytes, () => writeSynced(data, file))
  ]
  rmSync(file)
  return limits
}

/** Kafka's own performance consumer, its group join and JVM start not counted in the rate. */
export const consumer = async (place: Place, topic: BenchTopic): Promise<Limit> => {
  const { cpuSeconds, output } = await java(place, "org.apache.kafka.tools.ConsumerPerformance", [
    "--bootstrap-server",
    place.bootstrap,
    "--topic",
    topic.name,
    "--num-records",
    String(topic.records),
    "--hide-header"
  ])
  const fields = output.trim().split("\n").at(-1)?.split(",") ?? []
  const fetchMillis = Number(fields[7])
  if (!(fetchMillis > 0)) throw new Error(`ConsumerPerformance said something else than expected:\n${output}`)
  return {
    what: `Java consumer, source ${topic.source}`,
    megabytesPerSecond: payloadBytes(topic) / 1e3 / fetchMillis,
    ...(cpuSeconds === undefined ? {} : { cpuSecondsPerGigabyte: cpuSeconds / (payloadBytes(topic) / 1e9) })
  }
}
