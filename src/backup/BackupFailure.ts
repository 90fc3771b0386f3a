import type { KafkaError } from "../kafka/KafkaError.ts"
import type { CatalogueError } from "../manifest/CatalogueError.ts"
import type { SegmentError } from "../segment/SegmentError.ts"
import type { ObjectStoreError } from "../storage/ObjectStoreError.ts"
import type { WorkerError } from "../worker/WorkerError.ts"
import type { RunError } from "./RunError.ts"

/** Every expected failure of a backup or of a command on sets; each has an exit code in `outcome/FailureReasons`. */
export type BackupFailure = RunError | WorkerError | KafkaError | ObjectStoreError | SegmentError | CatalogueError
