import { assert, describe, it } from "@effect/vitest"
import { LiveMatch } from "../../src/drill/LiveMatch.ts"

/** A record of the record stream with nothing but an offset, and a byte of content. */
const record = (offset: number, content = 0) => {
  const bytes = Buffer.alloc(24)
  bytes.writeUInt32LE(20, 0)
  bytes.writeBigInt64LE(BigInt(offset), 12)
  bytes[20] = content
  return bytes
}
const run = (...offsets: ReadonlyArray<number>) => Buffer.concat(offsets.map((offset) => record(offset)))

const matched = (stored: Buffer, live: Buffer, gaps: ReadonlyArray<readonly [number, number]> = []) => {
  const match = new LiveMatch(
    gaps.map(([start_offset, end_offset]) => ({ start_offset, end_offset, reason: "", detected_at: 0 }))
  )
  match.backup(stored)
  match.live(live)
  return match
}

describe("LiveMatch", () => {
  it("counts records that both have, and takes no notice of those that the live log lost", () => {
    const match = matched(run(3, 5, 7, 8, 9), run(5, 9))
    assert.strictEqual(match.equal, 2)
    assert.isUndefined(match.difference)
  })

  it("finds the first record with another content", () => {
    const match = matched(run(3, 4, 5), Buffer.concat([record(3), record(4, 1), record(5, 1)]))
    assert.strictEqual(match.difference?.offset, 4)
    assert.strictEqual(match.equal, 1)
  })

  it("finds a record that the backup lacks: between others, behind them, and where it has none at all", () => {
    assert.strictEqual(matched(run(3, 5), run(3, 4, 5)).difference?.offset, 4)
    assert.strictEqual(matched(run(3), run(3, 4)).difference?.offset, 4)
    assert.strictEqual(matched(Buffer.alloc(0), run(4)).difference?.offset, 4)
  })

  it("does not count what the backup says that it could not read", () => {
    const match = matched(run(3, 6), run(3, 4, 5, 6), [[4, 6]])
    assert.isUndefined(match.difference)
    assert.strictEqual(match.equal, 2)
  })
})
