import { describe, expect, it } from "@effect/vitest"
import * as BufferPool from "../../../src/kafka/kafkajs/BufferPool.ts"

const mib = 1024 * 1024

describe("BufferPool", () => {
  it("reuses a released buffer for a request of the same size", () => {
    const pool = BufferPool.make({ maxIdleBytes: 8 * mib, maxBufferBytes: 4 * mib })
    const first = pool.take(mib - 5)
    first.release()
    expect(pool.take(mib).buffer).toBe(first.buffer)
    expect(pool.idleBytes()).toBe(0)
  })

  it("never lends one buffer twice, even if it is released twice", () => {
    const pool = BufferPool.make({ maxIdleBytes: 8 * mib, maxBufferBytes: 4 * mib })
    const first = pool.take(mib)
    first.release()
    first.release()
    expect(pool.take(mib).buffer).not.toBe(pool.take(mib).buffer)
  })

  it("is at least as long as asked, for every size around a class boundary", () => {
    const pool = BufferPool.make({ maxIdleBytes: 8 * mib, maxBufferBytes: 4 * mib })
    for (const size of [1, 65535, 65536, 65537, mib - 1, mib, mib + 1, 4 * mib]) {
      expect(pool.take(size).buffer.length).toBeGreaterThanOrEqual(size)
    }
  })

  it("keeps no more idle bytes than its bound", () => {
    const pool = BufferPool.make({ maxIdleBytes: 2 * mib, maxBufferBytes: 4 * mib })
    const taken = [1, 2, 3, 4].map(() => pool.take(mib))
    for (const { release } of taken) release()
    expect(pool.idleBytes()).toBe(2 * mib)
  })

  it("does not keep a buffer that is larger than usual", () => {
    const pool = BufferPool.make({ maxIdleBytes: 64 * mib, maxBufferBytes: 4 * mib })
    const huge = pool.take(5 * mib)
    expect(huge.buffer.length).toBe(5 * mib)
    huge.release()
    expect(pool.idleBytes()).toBe(0)
  })
})
