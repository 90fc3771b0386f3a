import { Effect, Layer } from "effect"
import * as CommandLine from "./cli/CommandLine.ts"
import { ClusterAccess } from "./cli/OperatorCommand.ts"
import * as KafkaJsSinks from "./kafka/KafkaJsSinks.ts"
import * as KafkaJsSources from "./kafka/KafkaJsSources.ts"
import * as StorageBackends from "./storage/StorageBackends.ts"

/** The real API server's client, loaded when it is needed. */
const kubernetes = Layer.succeed(ClusterAccess, {
  layer: Layer.unwrap(
    Effect.map(
      Effect.promise(() => import("./kubernetes/HttpKubernetes.ts")),
      ({ layerDefault }) => layerDefault
    )
  )
})

/** The command line with its real ports. */
CommandLine.start(Layer.mergeAll(KafkaJsSources.layer(), KafkaJsSinks.layer(), StorageBackends.layer, kubernetes))
