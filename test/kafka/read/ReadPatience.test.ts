import { assert, describe, it } from "@effect/vitest"
import type { FetchOutcome } from "../../../src/kafka/read/FetchOutcome.ts"
import { makeReadPatience, type NextAttempt } from "../../../src/kafka/read/ReadPatience.ts"
import { defaults } from "../../../src/kafka/read/SourceOptions.ts"

const minute = 60_000
const request = { topic: "orders", partition: 3, from: 0, until: 100 }
const patience = () => makeReadPatience(defaults, request, 0)
const at = (nowMillis: number) => ({ nowMillis, position: 10, maxBytes: 1000, isNamed: true })

const short = (next: NextAttempt) => (next._tag === "Never" ? next.error.reason._tag : next._tag)
const empty: FetchOutcome = { _tag: "Empty", highWatermark: 100, lastStableOffset: 100 }
const missing: FetchOutcome = { _tag: "Missing" }
const throttled = (millis: number): FetchOutcome => ({ _tag: "Throttled", millis })

describe("ReadPatience", () => {
  it("waits longer after every failure of any kind", () => {
    const { next } = patience()
    const waits = [empty, missing, empty, { _tag: "OutOfRange" } as const].map((outcome) => next(outcome, at(0)))
    assert.deepStrictEqual(
      waits,
      [0, 1, 2, 3].map((failures) => ({ _tag: "BackedOff", failures }))
    )
  })

  it("ends after five minutes plus the throttled time", () => {
    const plain = patience()
    assert.strictEqual(short(plain.next(empty, at(5 * minute - 1))), "BackedOff")
    assert.strictEqual(short(plain.next(empty, at(5 * minute))), "Stalled")
    const quota = patience()
    assert.deepStrictEqual(quota.next(throttled(3 * minute), at(0)), { _tag: "After", millis: 3 * minute })
    assert.strictEqual(short(quota.next(empty, at(8 * minute - 1))), "BackedOff")
    assert.strictEqual(short(quota.next(empty, at(8 * minute))), "Stalled")
  })

  it("lets a quota throttle a read for an hour", () => {
    const { next } = patience()
    assert.strictEqual(short(next(throttled(59 * minute), at(0))), "After")
    assert.strictEqual(short(next(throttled(minute), at(59 * minute))), "Stalled")
  })

  it("counts a topic as deleted when it was missing for thirty seconds, unless metadata names it", () => {
    const { next } = patience()
    const unnamed = (nowMillis: number) => ({ ...at(nowMillis), isNamed: false })
    assert.strictEqual(short(next(missing, unnamed(0))), "BackedOff")
    assert.strictEqual(short(next(missing, unnamed(29_999))), "BackedOff")
    assert.strictEqual(short(next(empty, unnamed(29_999))), "BackedOff")
    assert.strictEqual(short(next(missing, unnamed(30_000))), "BackedOff")
    assert.strictEqual(short(next(missing, at(60_000))), "BackedOff")
    assert.strictEqual(short(next(missing, unnamed(60_000))), "TopicVanished")
  })

  it("takes a log end below the planned end for truncation only if it lasts", () => {
    const { next } = patience()
    const below: FetchOutcome = { _tag: "Empty", highWatermark: 99, lastStableOffset: 99 }
    assert.strictEqual(short(next(below, at(0))), "BackedOff")
    assert.strictEqual(short(next(below, at(29_999))), "BackedOff")
    assert.strictEqual(short(next(below, at(30_000))), "LogTruncated")
    const empty: FetchOutcome = { _tag: "Empty", highWatermark: -1, lastStableOffset: -1 }
    assert.strictEqual(short(patience().next(empty, at(31_000))), "BackedOff")
  })

  it("measures how long answers have been empty, and starts again after any other answer", () => {
    const { next, emptyMillis } = patience()
    assert.isUndefined(emptyMillis(0))
    next(empty, at(1000))
    next(empty, at(4000))
    assert.strictEqual(emptyMillis(6000), 5000)
    next(throttled(1), at(7000))
    assert.isUndefined(emptyMillis(8000))
  })

  it("asks for more at once while a truncated batch can still fit", () => {
    const { next } = patience()
    const cut = (neededBytes: number): FetchOutcome => ({ _tag: "CutShort", neededBytes })
    assert.strictEqual(short(next(cut(defaults.maxFetchBytes), at(0))), "AtOnce")
    assert.strictEqual(short(next(cut(defaults.maxFetchBytes + 1), at(0))), "Stalled")
    assert.strictEqual(short(next(cut(17), { ...at(0), maxBytes: defaults.maxFetchBytes })), "Stalled")
  })
})
