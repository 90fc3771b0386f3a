import type { CatalogueError } from "../manifest/CatalogueError.ts"
import type { KafkaError } from "../kafka/KafkaError.ts"
import type { SegmentError } from "../segment/SegmentError.ts"
import type { ObjectStoreError } from "../storage/ObjectStoreError.ts"
import type { RunError } from "./RunError.ts"

/** Every expected failure of a run or a command on sets. */
export type BackupFailure = RunError | KafkaError | ObjectStoreError | SegmentError | CatalogueError

/**
 * Exit codes of every command; documented in docs/reference/exit-codes.md. 10 to 19 need a person, so a Job may fail
 * at once on them; 20 and above may succeed when repeated as they are.
 */
export const exitCodes = {
  success: 0,
  /** A defect of ours: please report it. */
  internal: 1,
  usage: 2,
  invalidManifest: 10,
  secretUnusable: 11,
  accessRefused: 12,
  topicsUnusable: 13,
  storageUnusable: 14,
  dataUnusable: 15,
  notProven: 16,
  notFound: 17,
  /** Wrong address, TLS against plaintext or the reverse, a protocol nobody speaks. */
  clusterUnusable: 18,
  temporary: 20,
  interrupted: 21,
  superseded: 22
} as const

/** The one table from reasons to exit codes. */
export const of = (failure: BackupFailure): number => {
  switch (failure.reason._tag) {
    case "TopicMissing":
    case "NoTopicsMatched":
    case "TopicVanished":
    case "TopicRecreated":
      return exitCodes.topicsUnusable
    case "TopicAccessDenied":
    case "AccessDenied":
    case "AuthenticationFailed":
    case "StorageAuthenticationFailed":
    case "StorageAuthorizationFailed":
      return exitCodes.accessRefused
    case "SecretUnusable":
      return exitCodes.secretUnusable
    case "NotSupported":
      return exitCodes.invalidManifest
    case "NotProven":
    case "SegmentDamaged":
      return exitCodes.notProven
    case "LogTruncated":
    case "CorruptBatch":
    case "UnsupportedBatch":
    case "RecordNotRepresentable":
    case "MalformedRecords":
      return exitCodes.dataUnusable
    case "TargetMissing":
    case "Misconfigured":
    case "OutOfSpace":
    case "ContentMismatch":
    case "ObjectExists":
    case "ObjectNotFound":
    case "NoFreeId":
    case "DocumentUnreadable":
      return exitCodes.storageUnusable
    case "SetNotFound":
    case "SetIncomplete":
    case "RunAlreadyTaken":
      return exitCodes.notFound
    case "BrokerUnreachable":
    case "ProtocolFailure":
    case "Stalled":
      return failure.isRetryable ? exitCodes.temporary : exitCodes.clusterUnusable
    case "StoreUnavailable":
    case "LockHeld":
      return exitCodes.temporary
    case "Interrupted":
      return exitCodes.interrupted
    case "AttemptSuperseded":
      return exitCodes.superseded
  }
}
