import { assert, describe, it } from "@effect/vitest"
import * as Consolidation from "../../src/backup/Consolidation.ts"
import { random, Seed } from "../segment/arbitraryRecords.ts"

const mebibyte = 1024 * 1024
const segmentBytes = 64 * mebibyte
const plenty = { segmentBytes, budgetBytes: Number.MAX_SAFE_INTEGER }

interface Piece extends Consolidation.Segment {
  readonly uncompressed_size: number
  /** How often its bytes were joined at most, and the smallest segment that they began in. */
  readonly joined: number
  readonly smallest: number
}

let next = 0
const piece = (bytes: number, ending = ".bin.zst"): Piece => {
  const start = next
  next += 10
  return {
    key: `a-20260101-000000/topics/t/partition=0/segment-${start}-000001${ending}`,
    start_offset: start,
    end_offset: start + 4,
    uncompressed_size: bytes,
    compressed_size: Math.ceil(bytes / 4),
    joined: 0,
    smallest: bytes
  }
}

const partition = (segments: ReadonlyArray<Piece>, gaps: Consolidation.Partition["gaps"] = [], number = 0) => ({
  topic: "t",
  partition: number,
  segments,
  gaps
})

const pieces = (count: number, bytes: number, ending?: string) =>
  Array.from({ length: count }, () => piece(bytes, ending))

const joinedOf = ({ segments }: Consolidation.Join<Piece>): Piece => ({
  ...segments[0]!,
  end_offset: segments.at(-1)!.end_offset,
  uncompressed_size: segments.reduce((sum, { uncompressed_size }) => sum + uncompressed_size, 0),
  compressed_size: segments.reduce((sum, { compressed_size = 0 }) => sum + compressed_size, 0),
  joined: 1 + Math.max(...segments.map(({ joined }) => joined)),
  smallest: Math.min(...segments.map(({ smallest }) => smallest))
})

const applied = (segments: ReadonlyArray<Piece>, joins: ReadonlyArray<Consolidation.Join<Piece>>) =>
  segments.flatMap((segment) => {
    const join = joins.find((one) => one.segments.includes(segment))
    return join === undefined ? [segment] : join.segments[0] === segment ? [joinedOf(join)] : []
  })

describe("Consolidation", () => {
  it("joins eight neighbours of a size, and leaves seven alone", () => {
    const few = partition(pieces(7, mebibyte))
    assert.deepStrictEqual(Consolidation.decide([few], plenty), [])
    const enough = partition(pieces(8, 2 * mebibyte))
    const [join, ...others] = Consolidation.decide([enough], plenty)
    assert.deepStrictEqual(others, [])
    assert.deepStrictEqual(join?.segments, enough.segments)
    assert.strictEqual(join?.storedBytes, 4 * mebibyte)
  })

  it("leaves neighbours alone that are not larger together", () => {
    const tiny = partition([...pieces(7, 65), piece(70 * 8 * 8)])
    assert.deepStrictEqual(Consolidation.decide([tiny], plenty), [])
  })

  it("never makes a segment larger than a full one", () => {
    const joins = Consolidation.decide([partition(pieces(12, 15 * mebibyte))], plenty)
    assert.deepStrictEqual(
      joins.map(({ segments }) => segments.length),
      [4, 4, 4]
    )
  })

  it("never joins over a gap, nor segments of two codecs", () => {
    const segments = pieces(15, mebibyte)
    const middle = segments[7]!
    const gap = { from: middle.end_offset + 1, until: middle.end_offset + 3 }
    const [join, ...others] = Consolidation.decide([partition(segments, [gap])], plenty)
    assert.deepStrictEqual(others, [])
    assert.deepStrictEqual(join?.segments, segments.slice(0, 8))
    const mixed = [...pieces(7, mebibyte), ...pieces(7, mebibyte, ".bin.lz4"), ...pieces(7, mebibyte)]
    assert.deepStrictEqual(Consolidation.decide([partition(mixed)], plenty), [])
  })

  it("takes the longest rows first, within the budget, and one that is larger than the budget", () => {
    const long = partition(pieces(9, mebibyte), [], 1)
    const short = partition(pieces(8, mebibyte), [], 0)
    const budget = (budgetBytes: number) =>
      Consolidation.decide([short, long], { segmentBytes, budgetBytes }).map((join) => join.partition)
    assert.deepStrictEqual(budget(0), [])
    assert.deepStrictEqual(budget(1), [1])
    assert.deepStrictEqual(budget(9 * mebibyte), [1, 0])
  })

  it.prop(
    "hundreds of backups leave few segments, with every byte in order, and none is joined more often than promised",
    [Seed],
    ([seed]) => {
      const chance = random(seed)
      next = 0
      const scale = 2 ** (8 + Math.floor(chance() * 14))
      let segments: ReadonlyArray<Piece> = []
      let bytes = 0
      for (let run = 0; run < 400; run++) {
        const size = 30 + Math.floor(scale * (chance() < 0.05 ? 40 * chance() : chance()))
        segments = segments.concat(piece(Math.min(size, segmentBytes)))
        bytes += segments.at(-1)!.uncompressed_size
        segments = applied(segments, Consolidation.decide([partition(segments)], plenty))
      }
      for (const { joined, smallest, uncompressed_size } of segments) {
        assert.isAtMost(uncompressed_size, segmentBytes)
        assert.isAtMost(joined, Math.ceil(Math.log(segmentBytes / smallest) / Math.log(8)) + 1, `seed ${seed}`)
      }
      const held = segments.reduce((sum, { uncompressed_size }) => sum + uncompressed_size, 0)
      assert.strictEqual(held, bytes)
      segments.forEach(({ start_offset }, i) => assert.isAbove(start_offset, segments[i - 1]?.end_offset ?? -1))
      assert.isAtMost(segments.length, 8 * Math.ceil((8 * bytes) / segmentBytes) + 7 * 8, `seed ${seed}`)
    },
    { arbitrary: { runs: 10 } }
  )
})
