import { describe, expect, it } from "@effect/vitest"
import * as Internals from "../../../src/kafka/kafkajs/Internals.ts"
import RequestQueue from "kafkajs/src/network/requestQueue/index.js"

/** A queue of kafkajs as far as its timer goes. */
const queue = (pending: ReadonlyArray<unknown>) => {
  let checks = 0
  const one: Internals.KafkaJsRequestQueue = Object.assign(Object.create(RequestQueue.prototype), {
    throttleCheckTimeoutId: null,
    pending,
    throttledUntil: -1,
    checkPendingRequests: () => checks++
  })
  return { one, checks: () => checks }
}

describe("kafkajs", () => {
  it("is the version whose internals are used, and has them", () => {
    expect(Internals.incompatibility()).toBeUndefined()
  })

  it("has no timer while nothing waits, and one while a request does", async () => {
    Internals.quietTimers()
    const idle = queue([])
    idle.one.scheduleCheckPendingRequests()
    expect(idle.one.throttleCheckTimeoutId).toBeNull()
    const busy = queue(["request"])
    busy.one.scheduleCheckPendingRequests()
    const timer = busy.one.throttleCheckTimeoutId
    busy.one.scheduleCheckPendingRequests()
    expect(busy.one.throttleCheckTimeoutId).toBe(timer)
    while (busy.checks() === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    expect(busy.one.throttleCheckTimeoutId).toBeNull()
  })
})
