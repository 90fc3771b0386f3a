import { Effect, Layer } from "effect"
import * as KafkaJsWire from "./KafkaJsWire.ts"
import { KafkaSources } from "./KafkaSource.ts"
import { makeCarefulSource } from "./read/WireKafkaSource.ts"

/** Real clusters. Each `open` connects anew, with the target's own credentials, and closes with its scope. */
export const layer = (options: KafkaJsWire.Options = {}): Layer.Layer<KafkaSources> =>
  Layer.succeed(KafkaSources, {
    open: (target, care) => KafkaJsWire.make(target, options).pipe(Effect.map((wire) => makeCarefulSource(wire, care)))
  })
