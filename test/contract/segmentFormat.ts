import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema, type Scope, Stream } from "effect"
import * as Formats from "../../src/segment/Formats.ts"
import type { SegmentFormat, SegmentSettings } from "../../src/segment/Segment.ts"
import { SegmentError } from "../../src/segment/SegmentError.ts"
import type { NamedSegment, SegmentReader } from "../../src/segment/SegmentReader.ts"
import { random, scene, Seed } from "../segment/arbitraryRecords.ts"
import { batchAround, batchOf } from "../segment/plainRecords.ts"
import { everythingOf, pieces, readAll, some } from "../segment/reading.ts"
import { writeWith } from "../segment/writing.ts"

/** A format as the table has it. */
export interface FormatUnderTest {
  /** `chunkBytes`: what is to be written at once, small so that its ends are everywhere. */
  readonly make: (settings: SegmentSettings, chunkBytes: number) => Effect.Effect<SegmentFormat, never, Scope.Scope>
  readonly reader: SegmentReader
  readonly compressions: ReadonlyArray<SegmentSettings["compression"]>
  /** The file as a writer of a later version would have made it, who kept what all versions have in common. */
  readonly ofLaterVersion: (file: Buffer) => Buffer | Promise<Buffer>
  /** No checksum in a file covers all of it: it is judged by the SHA-256 that the manifest has. */
  readonly isJudgedByManifest?: boolean
}

const all = Number.MAX_SAFE_INTEGER

/** What every segment format promises. A format is done when this passes. */
export const segmentFormatContract = (name: string, format: FormatUnderTest) => {
  const { compressions, isJudgedByManifest = false, reader } = format
  const manifestOf = (file: Buffer): NamedSegment | undefined =>
    isJudgedByManifest
      ? {
          firstOffset: 0,
          lastOffset: Number.MAX_SAFE_INTEGER - 1,
          sha256: createHash("sha256").update(file).digest("hex")
        }
      : undefined
  const make = (compression: SegmentSettings["compression"], chunkBytes = 20_000) =>
    format.make({ compression, level: 3 }, chunkBytes)
  /** Fails the test when the file is not found damaged. */
  const assertDamaged = (file: Buffer, good: Buffer, pieceBytes?: number) =>
    Effect.map(Effect.flip(readAll(reader, pieces(file, pieceBytes), manifestOf(good))), (error) => {
      assert.strictEqual(error.reason._tag, "SegmentDamaged")
      assert.include(error.message, "a key")
    })

  describe(`segment format ${name}, writing`, () => {
    it.effect.prop(
      "gives back what was written, in whatever pieces the file comes, and says what it holds",
      [Seed, Schema.Literals(compressions)],
      ([seed, compression]) =>
        Effect.gen(function* () {
          const { batches, records } = scene(seed)
          const written = yield* writeWith(make(compression), batches)
          const { file } = written
          const pieceBytes = 41 + Math.floor(random(seed)() * 100_000)
          assert.deepStrictEqual(yield* readAll(reader, pieces(file, pieceBytes)), records)
          const found = yield* reader.inspect("a key", pieces(file, pieceBytes))
          const { firstOffset, lastOffset, recordCount, sha256, storedBytes, uncompressedBytes } = written
          assert.deepInclude(
            { ...found, storedBytes: file.length, sha256: createHash("sha256").update(file).digest("hex") },
            { firstOffset, lastOffset, recordCount, sha256, storedBytes, uncompressedBytes }
          )
          assert.deepInclude(found, { storedBytes, sha256 })
          if (!isJudgedByManifest) assert.deepInclude(found, { compression, payloadBytes: written.payloadBytes })
          // A filter by time must never pass over a segment that has a record of that time.
          assert.isAtMost(written.minTimestamp, found.minTimestamp)
          assert.isAtLeast(written.maxTimestamp, found.maxTimestamp)
        }),
      { arbitrary: { runs: 60 } }
    )

    it.effect("gives its files an ending by which the table finds its reader", () =>
      Effect.gen(function* () {
        for (const compression of compressions) {
          const { file, suffix } = yield* writeWith(make(compression), [batchOf(some(3))])
          const key = `set/topics/t/partition=0/segment-0-1${suffix}`
          const found = yield* Formats.reader.inspect(everythingOf(key), pieces(file))
          assert.deepInclude(found, { compression, recordCount: 3 })
        }
      })
    )

    it.effect("makes no file of no record", () =>
      Effect.gen(function* () {
        for (const compression of compressions) {
          const segments = yield* make(compression)
          const untouched = yield* segments.open("orders", 0)
          assert.isUndefined(yield* untouched.seal)
          const outside = yield* segments.open("orders", 0)
          const emptied = batchAround(Buffer.alloc(0), { baseOffset: 3n, lastOffset: 9n, baseTimestamp: 0n })
          yield* outside.append([batchOf([{ ...some(1)[0]!, offset: 0n }]), emptied], 1, 100)
          assert.strictEqual(outside.recordCount(), 0)
          assert.isUndefined(yield* outside.seal)
        }
      })
    )

    it.live("writes the same bytes again from reused buffers, with many segments open and in flight", () =>
      Effect.gen(function* () {
        const scenes = [11, 12, 13, 14, 15, 16].map(scene)
        for (const compression of compressions) {
          const segments = yield* make(compression, 8192)
          const alone = yield* Effect.forEach(scenes, ({ batches }) => writeWith(make(compression, 8192), batches))
          for (let round = 0; round < 3; round++) {
            const together = yield* Effect.forEach(
              scenes,
              Effect.fnUntraced(function* ({ batches }) {
                const writer = yield* segments.open("orders", 0)
                for (const batch of batches) yield* writer.append([batch], 0, all)
                const sealed = (yield* writer.seal)!
                const sha256 = sealed.sha256()
                assert.strictEqual(createHash("sha256").update(Buffer.concat(sealed.pieces)).digest("hex"), sha256)
                sealed.release()
                const dropped = yield* segments.open("orders", 1)
                yield* dropped.append(batches, 0, all)
                return sha256
              }),
              { concurrency: "unbounded" }
            )
            assert.deepStrictEqual(
              together,
              alone.map((written) => written.sha256)
            )
          }
        }
      })
    )

    it.live("can be interrupted anywhere, and later segments are whole", () =>
      Effect.gen(function* () {
        const records = some(3000, 1000)
        const batch = batchOf(records)
        for (const compression of compressions) {
          const segments = yield* make(compression, 100_000)
          for (let millis = 0; millis < 6; millis++) {
            const writer = yield* segments.open("orders", 0)
            const fiber = yield* Effect.forkChild(Effect.andThen(writer.append([batch], 0, all), writer.seal), {
              startImmediately: true
            })
            yield* Effect.sleep(millis)
            yield* Fiber.interrupt(fiber)
            const next = yield* segments.open("orders", 0)
            yield* next.append([batch], 0, all)
            const sealed = yield* next.seal
            assert.deepStrictEqual(yield* readAll(reader, pieces(Buffer.concat(sealed!.pieces), 65_536)), records)
            sealed!.release()
          }
        }
      })
    )
  })

  describe(`segment format ${name}, reading`, () => {
    it.effect("finds any flipped bit of a small file, every length that it is cut to, and what is appended", () =>
      Effect.gen(function* () {
        for (const compression of compressions) {
          const { file: good } = yield* writeWith(make(compression), [batchOf(some(4, 5))])
          assert.strictEqual((yield* reader.inspect("a key", pieces(good))).recordCount, 4)
          for (let bit = 0; bit < good.length * 8; bit++) {
            const bad = Buffer.from(good)
            bad[bit >> 3]! ^= 1 << (bit & 7)
            yield* assertDamaged(bad, good)
          }
          for (let length = 0; length < good.length; length++) yield* assertDamaged(good.subarray(0, length), good, 16)
          yield* assertDamaged(Buffer.concat([good, Buffer.from([0])]), good)
          yield* assertDamaged(Buffer.concat([good, good]), good)
        }
      })
    )

    it.effect.prop(
      "finds flipped bits and cuts of larger files",
      [Seed, Schema.Literals(compressions)],
      ([seed, compression]) =>
        Effect.gen(function* () {
          const next = random(seed)
          const { file: good } = yield* writeWith(make(compression), scene(seed).batches)
          const bad = Buffer.from(good)
          bad[Math.floor(next() * bad.length)]! ^= 1 << Math.floor(next() * 8)
          yield* assertDamaged(bad, good, 20_000)
          yield* assertDamaged(good.subarray(0, Math.floor(next() * good.length)), good, 20_000)
        }),
      { arbitrary: { runs: 60 } }
    )

    it.effect("gives nothing of a damaged file when it is to be proven, and fails at the latest at its end", () =>
      Effect.gen(function* () {
        for (const compression of compressions) {
          const { file: good } = yield* writeWith(make(compression), [batchOf(some(100))])
          const bad = Buffer.from(good)
          bad[bad.length - 1]! ^= 1
          let given = 0
          const count = (batch: ReadonlyArray<unknown>) => Effect.sync(() => void (given += batch.length))
          const early = yield* Effect.flip(
            Stream.runForEach(reader.provenRecords("a key", pieces(bad), manifestOf(good)), count)
          )
          assert.instanceOf(early, SegmentError)
          assert.strictEqual(given, 0)
          const late = yield* Effect.flip(
            Stream.runForEach(reader.records("a key", pieces(bad), manifestOf(good)), count)
          )
          assert.instanceOf(late, SegmentError)
          given = 0
          yield* Stream.runForEach(reader.provenRecords("a key", pieces(good), manifestOf(good)), count)
          assert.strictEqual(given, 100)
        }
      })
    )

    it.effect("says of a version that it does not know that it does not know it, unless the file is damaged", () =>
      Effect.gen(function* () {
        for (const compression of compressions) {
          const { file } = yield* writeWith(make(compression), [batchOf(some(10))])
          const later = yield* Effect.promise(async () => format.ofLaterVersion(file))
          const unknown = yield* Effect.flip(reader.inspect("a key", pieces(later), manifestOf(later)))
          assert.strictEqual(unknown.reason._tag, "UnknownFormat")
          assert.include(unknown.message, "a key")
          assert.include(unknown.advice, "newer")
          assert.strictEqual(
            (yield* Effect.flip(readAll(reader, pieces(later), manifestOf(later)))).reason._tag,
            "UnknownFormat"
          )
          const good = Buffer.from(later)
          later[later.length >> 1]! ^= 4
          yield* assertDamaged(later, good)
        }
      })
    )

    it.effect("passes on what the source of the file fails with", () =>
      Effect.gen(function* () {
        for (const compression of compressions) {
          const { file } = yield* writeWith(make(compression), [batchOf(some(50))])
          const broken = Stream.concat(pieces(file.subarray(0, -20), 50), Stream.fail("connection reset" as const))
          assert.strictEqual(yield* Effect.flip(reader.inspect("a key", broken)), "connection reset")
          const defect = yield* Effect.exit(
            reader.inspect("a key", Stream.concat(pieces(file.subarray(0, 60)), Stream.die(new Error("bug"))))
          )
          assert.include(String(defect), "bug")
          assert.include(String(defect), "Die")
        }
      })
    )

    it.live("lets go of the source when it is interrupted, even if the source is stuck", () =>
      Effect.gen(function* () {
        for (const compression of compressions) {
          const { file } = yield* writeWith(make(compression), [batchOf(some(50))])
          let closed = false
          const stuck = Stream.concat(pieces(file.subarray(0, 100), 50), Stream.never).pipe(
            Stream.ensuring(Effect.sync(() => void (closed = true)))
          )
          const fiber = yield* Effect.forkChild(reader.inspect("a key", stuck), { startImmediately: true })
          yield* Effect.sleep(30)
          yield* Fiber.interrupt(fiber)
          assert.isTrue(closed)
        }
      })
    )

    it.effect("stops reading when it has read enough", () =>
      Effect.gen(function* () {
        for (const compression of compressions) {
          const { file } = yield* writeWith(make(compression, 4096), [batchOf(some(2000))])
          const first = yield* reader.records("a key", pieces(file, 500)).pipe(Stream.take(1), Stream.runCollect)
          assert.strictEqual(first[0]![0]!.offset, 100)
        }
      })
    )
  })
}
