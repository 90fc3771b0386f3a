import { Layer } from "effect"
import * as CommandLine from "./cli/CommandLine.ts"
import * as KafkaJsSources from "./kafka/KafkaJsSources.ts"
import * as StorageBackends from "./storage/StorageBackends.ts"

/** Which ports are real. */
CommandLine.start(Layer.mergeAll(KafkaJsSources.layer(), StorageBackends.layer))
