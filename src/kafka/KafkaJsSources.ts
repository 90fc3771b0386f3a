import { Effect, Layer } from "effect"
import * as KafkaJsWire from "./KafkaJsWire.ts"
import { KafkaSources } from "./KafkaSource.ts"
import { makeGuardedSource } from "./read/WireKafkaSource.ts"

/**
 * Real clusters. Each `open` makes its own connections with the target's credentials, and closes them with its scope.
 */
export const layer = (options: KafkaJsWire.Options = {}): Layer.Layer<KafkaSources> =>
  Layer.succeed(KafkaSources, {
    open: (target, guards) =>
      KafkaJsWire.make(target, options).pipe(Effect.map((wire) => makeGuardedSource(wire, guards)))
  })
