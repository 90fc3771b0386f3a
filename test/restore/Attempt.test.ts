import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { KafkaError, ProtocolFailure } from "../../src/kafka/KafkaError.ts"
import * as Attempt from "../../src/restore/Attempt.ts"
import { aRestore, inTime, layer, systems, worlds } from "./world.ts"

const refusal = new KafkaError({
  operation: "groups",
  reason: new ProtocolFailure({ detail: "the coordinator is loading", transient: true })
})

describe("a producer id that could not be remembered", () => {
  it.effect("is told of again before a batch carries it, and is not taken for that of another attempt", () =>
    Effect.gen(function* () {
      const { target } = yield* worlds
      const { sink } = yield* systems
      const told: Array<number> = []
      let isRefused = false
      const begun = yield* Attempt.begin(sink, aRestore("x").owner, (producerId) =>
        isRefused ? Effect.fail(refusal) : Effect.sync(() => told.push(producerId))
      )
      const first = yield* begun.producer
      yield* target.expireTransactionalIds
      isRefused = true
      yield* Effect.flip(begun.producer)
      assert.isTrue(Option.isNone(yield* inTime(Effect.timeoutOption(begun.untilOvertaken, "12 seconds"))))
      isRefused = false
      const { producerId } = yield* begun.producer
      assert.notStrictEqual(producerId, first.producerId)
      assert.deepStrictEqual(told, [first.producerId, producerId])
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
