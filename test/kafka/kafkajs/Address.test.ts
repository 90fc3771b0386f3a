import { describe, expect, it } from "@effect/vitest"
import * as Address from "../../../src/kafka/kafkajs/Address.ts"

describe("Address", () => {
  it.each([
    ["kafka:9092", { host: "kafka", port: 9092 }],
    ["kafka-0.kafka.svc.cluster.local:9093", { host: "kafka-0.kafka.svc.cluster.local", port: 9093 }],
    ["kafka-0.kafka.svc.:9093", { host: "kafka-0.kafka.svc.", port: 9093 }],
    ["10.0.0.1:1", { host: "10.0.0.1", port: 1 }],
    ["[::1]:65535", { host: "::1", port: 65535 }]
  ])("reads %s and writes it the same", (text, address) => {
    expect(Address.parse(text)).toEqual(address)
    expect(Address.format(address)).toBe(text)
  })

  it.each(["kafka", "kafka:", ":9092", "::1:9092", "kafka:0", "kafka:65536", "kafka:9092/x", "http://kafka:9092", ""])(
    "refuses %j",
    (text) => expect(Address.parse(text)).toBeUndefined()
  )

  it("names a host for TLS without the dot at its end, and an IP address not at all", () => {
    expect(Address.serverName("kafka.svc.")).toEqual({ servername: "kafka.svc" })
    expect(Address.serverName("kafka.svc")).toEqual({ servername: "kafka.svc" })
    expect(Address.serverName("fd00::1")).toEqual({})
  })
})
