import { describe, expect, it } from "@effect/vitest"
import * as Api from "../../../src/kafka/kafkajs/protocol/Api.ts"
import * as Fetch from "../../../src/kafka/kafkajs/protocol/Fetch.ts"

const api: Api.Api = { key: 1, name: "Fetch", minVersion: 10, maxVersion: 13, flexibleFrom: 12 }
const range = (minVersion: number, maxVersion: number) => ({ 1: { minVersion, maxVersion } })

describe("the version of an API", () => {
  it.each([
    [4, 18, 13],
    [0, 11, 11],
    [13, 20, 13],
    [10, 10, 10],
    [14, 20, undefined],
    [0, 9, undefined]
  ])("with a broker that speaks %d to %d is %s", (lowest, highest, version) => {
    expect(Api.version(api, range(lowest, highest))).toBe(version)
  })

  it("does not exist where the broker lacks the API", () => {
    expect(Api.version(api, {})).toBeUndefined()
    expect(Api.disagreement(api, {})).toBe("Fetch (broker: not offered, supported: 10-13)")
  })

  it("of Fetch is below 13 for a topic without id", () => {
    expect(Fetch.versionFor({ topicId: "0f0e0d0c-0b0a-0908-0706-050403020100" }, 13)).toBe(13)
    expect(Fetch.versionFor({}, 13)).toBe(12)
    expect(Fetch.versionFor({}, 11)).toBe(11)
  })
})
