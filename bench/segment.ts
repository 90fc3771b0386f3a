/**
 * How fast segments are written and read on this machine: `node bench/segment.ts [total MiB, default 256]`. Prints, and
 * asserts nothing. The data are JSON-like values in batches of 64 KiB, as a producer would send them uncompressed.
 */
import { Effect, Stream } from "effect"
import { availableParallelism } from "node:os"
import type { RecordBatch } from "../src/kafka/batch/RecordBatch.ts"
import * as KbakFormat from "../src/segment/kbak/KbakFormat.ts"
import * as KbakReader from "../src/segment/kbak/KbakReader.ts"
import * as OffsetHeaders from "../src/segment/records/OffsetHeaders.ts"
import type { SegmentSettings } from "../src/segment/Segment.ts"
import { Transcoder } from "../src/segment/records/Transcoder.ts"
import { batchOf } from "../test/segment/plainRecords.ts"

const mebibyte = 1024 * 1024
const total = Number(process.argv[2] ?? 256) * mebibyte
const words = "order customer payment status shipped pending amount currency region event created updated user".split(
  " "
)

let seed = 42
const below = (n: number) => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
  return seed % n
}
const word = () => words[(below(1 << 20) >> 4) % words.length]!
const json = (size: number): Buffer => {
  let text = "{"
  while (text.length < size) text += `"${word()}":"${word()}-${below(1 << 30)}",`
  return Buffer.from(text.slice(0, size))
}

/** Batches of different content; the same ones come again with higher offsets until there are `total` bytes. */
const batches = (valueBytes: number, headers: number): ReadonlyArray<RecordBatch> => {
  const perBatch = Math.max(1, Math.floor(65_536 / (valueBytes + 30)))
  const originals = Array.from({ length: 128 }, () =>
    batchOf(
      Array.from({ length: perBatch }, (_, i) => ({
        offset: BigInt(i),
        timestamp: 1_795_327_000_000n + BigInt(i),
        key: Buffer.from(`key-${below(1 << 30)}`.padEnd(16, "0")),
        value: json(valueBytes),
        headers: Array.from(
          { length: headers },
          (_, h) => [Buffer.from(`header-${h}`), Buffer.from("a value")] as const
        )
      }))
    )
  )
  const list: Array<RecordBatch> = []
  let bytes = 0
  for (let i = 0; bytes < total; i++) {
    const batch = originals[i % originals.length]!
    list.push({ ...batch, baseOffset: i * perBatch, lastOffset: (i + 1) * perBatch - 1 })
    bytes += batch.end - batch.start
  }
  return list
}

const say = (what: string, bytes: number, records: number, millis: number, more = "") =>
  console.log(
    `${what.padEnd(34)} ${(bytes / millis / 1000).toFixed(0).padStart(6)} MB/s ${(records / millis / 1000).toFixed(2).padStart(6)} Mrec/s  ${more}`
  )
const best = (times: number, run: () => void): number => {
  let millis = Infinity
  for (let i = 0; i < times; i++) {
    const started = performance.now()
    run()
    millis = Math.min(millis, performance.now() - started)
  }
  return millis
}

const shapes = [
  [100, 0],
  [100, 2],
  [1024, 0],
  [10_240, 0]
] as const

for (const [valueBytes, headers] of shapes) {
  const list = batches(valueBytes, headers)
  const bytes = list.reduce((sum, batch) => sum + batch.end - batch.start, 0)
  const records = list.reduce((sum, batch) => sum + batch.recordCount, 0)
  const name = `${valueBytes} B${headers > 0 ? ` + ${headers} headers` : ""}`
  for (const settings of [undefined, { sourceClusterId: "cluster" }]) {
    const target = Buffer.alloc(4 * mebibyte)
    const millis = best(5, () => {
      const transcoder = new Transcoder(OffsetHeaders.fromSettings(settings))
      transcoder.setTarget(target)
      for (const batch of list) {
        transcoder.setBatch(batch, 0, Number.MAX_SAFE_INTEGER)
        transcoder.setSource(batch.bytes, batch.recordsStart, batch.end, true)
        while (transcoder.run() !== "done") transcoder.setTarget(target)
      }
    })
    say(`transcode ${name}${settings ? " + offset headers" : ""}`, bytes, records, millis)
  }
}

const encoded = (settings: SegmentSettings, list: ReadonlyArray<RecordBatch>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const format = yield* KbakFormat.make(settings)
      let pieces: ReadonlyArray<Uint8Array> = []
      let stored = 0
      let at = 0
      while (at < list.length) {
        const writer = yield* format.open("bench", 0)
        for (; at < list.length && writer.uncompressedBytes() < 64 * mebibyte; at += 16)
          yield* writer.append(list.slice(at, at + 16), 0, Number.MAX_SAFE_INTEGER)
        const sealed = yield* writer.seal
        if (sealed === undefined) break
        stored += sealed.storedBytes
        if (pieces.length === 0) pieces = sealed.pieces.map((piece) => Uint8Array.from(piece))
        sealed.release()
      }
      return { stored, pieces }
    })
  )

console.log(`\nsegments of 64 MiB, ${availableParallelism()} cores`)
for (const [valueBytes] of [shapes[0], shapes[2]]) {
  const list = batches(valueBytes, 0)
  const bytes = list.reduce((sum, batch) => sum + batch.end - batch.start, 0)
  const records = list.reduce((sum, batch) => sum + batch.recordCount, 0)
  for (const [compression, level] of [
    ["none", 0],
    ["lz4", 1],
    ["zstd", 1],
    ["zstd", 3],
    ["zstd", 9]
  ] as const) {
    const started = performance.now()
    const cpu = process.cpuUsage()
    const { pieces, stored } = await Effect.runPromise(encoded({ compression, level }, list))
    const millis = performance.now() - started
    const used = process.cpuUsage(cpu)
    const facts = `ratio ${(bytes / stored).toFixed(2)}, ${((used.user + used.system) / 1000 / millis).toFixed(2)} cores, rss ${(process.memoryUsage.rss() / mebibyte).toFixed(0)} MiB`
    say(
      `write ${compression}${compression === "zstd" ? `-${level}` : ""} ${valueBytes} B`,
      bytes,
      records,
      millis,
      facts
    )
    const small = pieces.flatMap((piece) =>
      Array.from({ length: Math.ceil(piece.length / 65_536) }, (_, i) => piece.subarray(i * 65_536, (i + 1) * 65_536))
    )
    const began = performance.now()
    const found = await Effect.runPromise(KbakReader.reader.inspect("bench", Stream.fromIterable(small)))
    say(`  inspect`, found.uncompressedBytes, found.recordCount, performance.now() - began)
  }
}
