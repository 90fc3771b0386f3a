import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Planning from "../../src/backup/Planning.ts"
import { BackupId } from "../../src/identity/BackupId.ts"
import { KafkaSources } from "../../src/kafka/KafkaSource.ts"
import { heldBack } from "../../src/manifest/RunPlan.ts"
import { aRequest, layer, world } from "./world.ts"

describe("Planning.make", () => {
  it.live("does not take a record that arrives meanwhile for an open transaction", () =>
    Effect.gen(function* () {
      const { cluster } = yield* world
      yield* cluster.createTopic("busy", { partitions: 1 })
      yield* cluster.produce("busy", 0, [{ value: "first" }])
      const request = aRequest("2026-11-23T12:00:00Z")
      const kafka = yield* (yield* KafkaSources).open({ bootstrapServers: request.bootstrapServers })
      const busy: typeof kafka = {
        ...kafka,
        offsets: (partitions, kind) =>
          Effect.tap(kafka.offsets(partitions, kind), () => cluster.produce("busy", 0, [{ value: "another" }]))
      }
      assert.deepStrictEqual(heldBack(yield* Planning.make(busy, request, BackupId.make("id"))), [])
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
