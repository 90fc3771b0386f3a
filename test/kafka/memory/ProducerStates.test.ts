import { assert, describe, it } from "@effect/vitest"
import { makeProducerStates, type ProducerStates } from "../../../src/kafka/memory/ProducerStates.ts"

const hour = 3_600_000
const day = 24 * hour
const now = Date.UTC(2026, 0, 10)

const at = (baseSequence: number, producerEpoch = 0) => ({ producerId: 7, producerEpoch, baseSequence })

const outline = (states: ProducerStates, baseSequence: number, epoch = 0, nowMillis = now) => {
  const check = states.check(at(baseSequence, epoch), 10, nowMillis)
  switch (check._tag) {
    case "Next":
      return "next"
    case "Repeated":
      return `repeated at ${check.baseOffset}`
    case "Refused":
      return `refused with ${check.errorCode}`
  }
}

/** States of one producer that has written `batches` batches of ten records, the last of them with `timestamp`. */
const written = (batches: number, timestamp = now) => {
  const states = makeProducerStates()
  for (let i = 0; i < batches; i++) states.appended(at(i * 10), 10, 100 + i * 10, timestamp)
  return states
}

describe("what a partition remembers of its producers", () => {
  it("is the newest five batches", () => {
    const states = written(6)
    assert.strictEqual(outline(states, 50), "repeated at 150")
    assert.strictEqual(outline(states, 10), "repeated at 110")
    assert.strictEqual(outline(states, 0), "refused with 45")
    assert.strictEqual(outline(states, 60), "next")
  })

  it("begins anew with an epoch, at sequence 0, and refuses the former one", () => {
    const states = written(2)
    assert.strictEqual(outline(states, 20, 1), "refused with 45")
    assert.strictEqual(outline(states, 0, 1), "next")
    states.appended(at(0, 1), 10, 120, now)
    assert.strictEqual(outline(states, 20), "refused with 47")
    assert.isFalse(states.admitsMarker(at(0)))
    assert.isTrue(states.admitsMarker(at(0, 1)))
  })

  it("goes on across markers of the same epoch, and a marker of a newer one fences", () => {
    const states = written(2)
    states.marked(at(0), now)
    assert.strictEqual(outline(states, 20), "next")
    states.marked(at(0, 1), now)
    assert.strictEqual(outline(states, 20), "refused with 47")
    assert.strictEqual(outline(states, 0, 1), "next")
  })

  it("ends one day after the timestamps of the records, at the next check of ten minutes", () => {
    const states = written(2, now - day + hour)
    assert.strictEqual(outline(states, 10), "repeated at 110")
    assert.strictEqual(outline(states, 10, 0, now + hour - 1), "repeated at 110")
    assert.strictEqual(outline(states, 10, 0, now + hour), "next")
  })

  it("is kept for a day more by a marker, which has the time of the broker", () => {
    const states = written(2, now - 10 * day)
    states.marked(at(0), now)
    assert.strictEqual(outline(states, 10, 0, now + day - 1), "repeated at 110")
    assert.strictEqual(outline(states, 10, 0, now + day), "next")
  })

  it("ends where the log was cut", () => {
    const states = written(3)
    states.truncate(120)
    assert.strictEqual(outline(states, 10), "repeated at 110")
    assert.strictEqual(outline(states, 20), "next")
    states.truncate(0)
    assert.strictEqual(outline(states, 500), "next")
  })
})
