import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, References } from "effect"
import { TestClock } from "effect/testing"
import { OperatorHarness } from "../../src/testing/OperatorHarness.ts"

const quiet = OperatorHarness.layer.pipe(Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None")))

const hourly = `apiVersion: kafka.oso.sh/v1alpha1
kind: KafkaBackup
metadata:
  name: hourly
spec:
  schedule: "0 * * * *"
  kafkaCluster:
    bootstrapServers: ["kafka:9092"]
  topics: ["orders"]
  storage:
    storageType: s3
    s3: { bucket: backups, region: eu-central-1 }
`

const world = Effect.gen(function* () {
  const harness = yield* OperatorHarness
  yield* TestClock.setTime(Date.parse("2026-11-25T11:50:00Z"))
  const kafka = yield* harness.kafka("kafka:9092")
  yield* kafka.createTopic("orders", { partitions: 2 })
  yield* kafka.produce(
    "orders",
    0,
    Array.from({ length: 100 }, (_, n) => ({ key: `k${n}`, value: `v${n}` }))
  )
  return harness
})

describe("an hourly KafkaBackup", () => {
  it.effect("is backed up at its slot, and says so", () =>
    Effect.gen(function* () {
      const { advance, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly)
      yield* advance("1 minute")
      expect((yield* kubectl.status("hourly")).nextScheduledTime).toBe("2026-11-25T12:00:00Z")
      yield* advance("12 minutes")
      const status = yield* kubectl.status("hourly")
      expect(status).toMatchObject({
        phase: "Completed",
        lastBackupId: "hourly-20261125-120000",
        lastBackupRecords: 100,
        nextScheduledTime: "2026-11-25T13:00:00Z"
      })
    }).pipe(Effect.provide(quiet))
  )
})
