import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Logger } from "effect"
import { TestClock } from "effect/testing"
import { Forbidden, KubernetesError, NotFound, Unavailable } from "../../src/kubernetes/KubernetesError.ts"
import { ServedSchemas } from "../../src/kubernetes/ServedSchemas.ts"
import * as Definitions from "../../src/operator/Definitions.ts"
import * as Health from "../../src/operator/Health.ts"
import * as Crd from "../../src/resource/Crd.ts"
import * as OffsetCrds from "../../src/resource/OffsetCrds.ts"
import * as RestoreCrd from "../../src/resource/RestoreCrd.ts"

const definitions = [Crd.crd(), RestoreCrd.crd(), ...Object.values(OffsetCrds.crds).map((crd) => crd())]

/** As the API server publishes them; those of `kinds` only. */
const document = (kinds = definitions.map(({ spec }) => spec.names.kind)) => ({
  components: {
    schemas: Object.fromEntries(
      definitions
        .filter(({ spec }) => kinds.includes(spec.names.kind))
        .map(({ spec: { names, versions } }) => [
          `sh.oso.kafka.v1alpha1.${names.kind}`,
          {
            ...versions[0]!.schema.openAPIV3Schema,
            "x-kubernetes-group-version-kind": [{ group: "kafka.oso.sh", kind: names.kind, version: "v1alpha1" }]
          }
        ])
    )
  }
})

type Answer = Effect.Effect<unknown, KubernetesError>
const refused = (reason: KubernetesError["reason"]): Answer =>
  Effect.fail(new KubernetesError({ request: "get openapi kafka.oso.sh/v1alpha1", reason }))

/** An operator that waits, before a server whose answer may be changed, and what it said meanwhile. */
const waiting = (first: Answer) =>
  Effect.gen(function* () {
    let answer = first
    const said: Array<string> = []
    const logger = Logger.make(({ message }) => void said.push(String(message)))
    const health = yield* Health.Health
    const fiber = yield* Effect.forkChild(
      Definitions.awaited.pipe(
        Effect.provideService(ServedSchemas, () => Effect.suspend(() => answer)),
        Effect.provide(Logger.layer([logger]))
      )
    )
    return {
      said,
      ready: Effect.map(health.ready, ({ text }) => text),
      isOver: Effect.sync(() => fiber.pollUnsafe() !== undefined),
      becomes: (next: Answer) => Effect.sync(() => void (answer = next)),
      end: Fiber.join(fiber)
    }
  })

describe("an operator before it works", () => {
  it.effect("begins at once where the server has the definitions of its version", () =>
    Effect.gen(function* () {
      const { end, ready, said } = yield* waiting(Effect.succeed(document()))
      yield* end
      assert.deepStrictEqual(said, [])
      assert.include(yield* ready, "starting: waiting for the caches")
    }).pipe(Effect.provide(Health.layer))
  )

  it.effect("waits for definitions that are not there, and begins within seconds once they are", () =>
    Effect.gen(function* () {
      const missing = refused(new NotFound({ detail: "not there", isKindMissing: true }))
      const { becomes, end, isOver, ready } = yield* waiting(missing)
      yield* TestClock.adjust("1 hour")
      assert.isFalse(yield* isOver)
      assert.include(yield* ready, "kafkabackups.kafka.oso.sh is missing; kafkarestores.kafka.oso.sh is missing")
      yield* becomes(Effect.succeed(document()))
      yield* TestClock.adjust("5 seconds")
      yield* end
      assert.include(yield* ready, "starting: waiting for the caches")
    }).pipe(Effect.provide(Health.layer))
  )

  it.effect("says what is missing after a moment, in which it may still appear, and then once a minute", () =>
    Effect.gen(function* () {
      const { ready, said } = yield* waiting(Effect.succeed(document(["KafkaBackup"])))
      yield* TestClock.adjust("1 second")
      assert.include(yield* ready, "kafkarestores.kafka.oso.sh is missing")
      assert.deepStrictEqual(said, [])
      yield* TestClock.adjust("5 seconds")
      assert.lengthOf(said, 1)
      assert.notInclude(said[0], "kafkabackups.kafka.oso.sh is")
      assert.include(said[0], "Apply crds/ of this version")
      yield* TestClock.adjust("10 minutes")
      assert.lengthOf(said, 11)
    }).pipe(Effect.provide(Health.layer))
  )

  it.effect("asks again while the server does not answer", () =>
    Effect.gen(function* () {
      const { becomes, end, isOver, ready } = yield* waiting(refused(new Unavailable({ detail: "no route" })))
      yield* TestClock.adjust("1 minute")
      assert.isFalse(yield* isOver)
      assert.include(yield* ready, "cannot be read: get openapi kafka.oso.sh/v1alpha1: no route")
      yield* becomes(Effect.succeed(document()))
      yield* TestClock.adjust("5 seconds")
      yield* end
    }).pipe(Effect.provide(Health.layer))
  )

  it.effect("works all the same, with a warning, where it may not ask", () =>
    Effect.gen(function* () {
      const forbidden = new Forbidden({ detail: "no", isNamespaceTerminating: false, isQuota: false })
      const { end, said } = yield* waiting(refused(forbidden))
      yield* end
      assert.deepStrictEqual(said, ["the server's CustomResourceDefinitions cannot be checked"])
    }).pipe(Effect.provide(Health.layer))
  )

  it.effect("asks nobody where there is no real server", () => Definitions.awaited.pipe(Effect.provide(Health.layer)))
})
