import { Effect, Layer } from "effect"
import * as KafkaJsWriteWire from "./KafkaJsWriteWire.ts"
import { KafkaSinks } from "./KafkaSink.ts"
import type { Options } from "./KafkaJsWire.ts"
import { makeGuardedSink } from "./write/WireKafkaSink.ts"

/**
 * Real clusters to write to. Each `open` makes its own connections with the target's credentials, and closes them with
 * its scope.
 */
export const layer = (options: Options = {}): Layer.Layer<KafkaSinks> =>
  Layer.succeed(KafkaSinks, {
    open: (target, guards) =>
      KafkaJsWriteWire.make(target, options).pipe(Effect.map((wire) => makeGuardedSink(wire, guards)))
  })
