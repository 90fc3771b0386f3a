import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Result } from "effect"
import { exitCodes } from "../../src/outcome/ExitCodes.ts"
import { KafkaSinks } from "../../src/kafka/KafkaSink.ts"
import * as OffsetResource from "../../src/resource/OffsetResource.ts"
import * as RestoreProgress from "../../src/restore/RestoreProgress.ts"
import * as OffsetsWorker from "../../src/OffsetsWorker.ts"
import * as MountedSecrets from "../../src/secrets/MountedSecrets.ts"
import { layer as ports, worlds } from "./world.ts"

const layer = MountedSecrets.layer(undefined).pipe(Layer.provideMerge(ports), Layer.provideMerge(NodeServices.layer))

const at = (partition: number, offset: number) => ({ topic: "orders", partition, offset })

const resource = Result.getOrThrow(
  OffsetResource.parse(
    JSON.stringify({
      apiVersion: "kafka.oso.sh/v1alpha1",
      kind: "KafkaOffsetReset",
      metadata: { name: "early" },
      spec: {
        kafkaCluster: { bootstrapServers: ["target:9092"] },
        strategy: "earliest",
        consumerGroups: ["a", "b", "c"],
        parallelism: 1
      }
    }),
    ["KafkaOffsetReset"]
  )
)

/** Stops the work once the sink is asked to commit for this group, or to list groups, and does not answer. */
const stoppedAt = (held: string) =>
  Effect.gen(function* () {
    const { target } = yield* worlds
    yield* target.createTopic("orders")
    yield* target.produce("orders", 0, [{ value: "x" }])
    for (const group of ["a", "b", "c"]) yield* target.commitGroupOffsets(group, [at(0, 1)])
    const reached = yield* Deferred.make<void>()
    const stop = yield* Deferred.make<void>()
    const hang = Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
    const sinks = yield* KafkaSinks
    const slow = KafkaSinks.of({
      ...sinks,
      open: (cluster) =>
        Effect.map(sinks.open(cluster), (sink) => ({
          ...sink,
          groups: held === "groups" ? hang : sink.groups,
          commitOffsets: (group, offsets) => (group === held ? hang : sink.commitOffsets(group, offsets))
        }))
    })
    const fiber = yield* OffsetsWorker.run({ resource, choice: {} }, RestoreProgress.make(), {
      stop,
      volumes: undefined,
      secretPatienceMillis: 0
    }).pipe(Effect.provideService(KafkaSinks, slow), Effect.forkChild)
    yield* Deferred.await(reached)
    yield* Deferred.succeed(stop, undefined)
    return yield* Fiber.join(fiber)
  }).pipe(Effect.provide(layer))

describe("work on offsets that is stopped", () => {
  it.live("between its groups ends with a code that Kubernetes does not repeat, and tells what was set", () =>
    Effect.gen(function* () {
      const { exitCode, message, outcome, reason, restore } = yield* stoppedAt("b")
      assert.deepStrictEqual(
        { exitCode, outcome, reason },
        {
          exitCode: exitCodes.targetUnusable,
          outcome: "failed",
          reason: "GroupsSkipped"
        }
      )
      assert.match(message ?? "", /^2 of 3 consumer groups are left, since the work was stopped: b: /)
      assert.deepStrictEqual(restore?.groups, {
        reset: 1,
        skipped: 2,
        groupsReset: ["a"],
        groupsSkipped: [
          { group: "b", reason: "the work was stopped while its offsets were set, and they may be set already" },
          { group: "c", reason: "the work was stopped before its turn" }
        ]
      })
    })
  )

  it.live("before its first group is only interrupted: it may be repeated", () =>
    Effect.gen(function* () {
      const { exitCode, outcome, restore } = yield* stoppedAt("groups")
      assert.deepStrictEqual({ exitCode, outcome }, { exitCode: exitCodes.interrupted, outcome: "interrupted" })
      assert.isUndefined(restore?.groups)
    })
  )
})
