import { type ExitCode, exitCodes } from "./ExitCodes.ts"

/** Every reason for which a run may fail, and the exit code of its process. */
const all = {
  TopicMissing: exitCodes.topicsUnusable,
  NoTopicsMatched: exitCodes.topicsUnusable,
  TopicVanished: exitCodes.topicsUnusable,
  TopicRecreated: exitCodes.topicsUnusable,
  TopicAccessDenied: exitCodes.accessRefused,
  KafkaAuthorizationFailed: exitCodes.accessRefused,
  StorageAuthenticationFailed: exitCodes.accessRefused,
  StorageAuthorizationFailed: exitCodes.accessRefused,
  KafkaAuthenticationFailed: exitCodes.accessRefused,
  SecretUnusable: exitCodes.secretUnusable,
  NotSupported: exitCodes.invalidManifest,
  MemoryTooSmall: exitCodes.invalidManifest,
  NotProven: exitCodes.notProven,
  SegmentDamaged: exitCodes.notProven,
  LogTruncated: exitCodes.dataUnusable,
  CorruptBatch: exitCodes.dataUnusable,
  UnsupportedBatch: exitCodes.dataUnusable,
  BatchRefused: exitCodes.dataUnusable,
  RecordNotRepresentable: exitCodes.dataUnusable,
  RecordTooLarge: exitCodes.dataUnusable,
  BatchTooLarge: exitCodes.dataUnusable,
  WindowTooLarge: exitCodes.dataUnusable,
  MalformedRecords: exitCodes.dataUnusable,
  TargetMissing: exitCodes.storageUnusable,
  Misconfigured: exitCodes.storageUnusable,
  OutOfSpace: exitCodes.storageUnusable,
  ContentMismatch: exitCodes.storageUnusable,
  ObjectExists: exitCodes.storageUnusable,
  ObjectNotFound: exitCodes.storageUnusable,
  NoFreeId: exitCodes.storageUnusable,
  DocumentUnreadable: exitCodes.storageUnusable,
  UnknownFormat: exitCodes.storageUnusable,
  SetNotFound: exitCodes.notFound,
  SetIncomplete: exitCodes.notFound,
  RunAlreadyTaken: exitCodes.notFound,
  BrokerUnreachable: exitCodes.clusterUnusable,
  TokenUnavailable: exitCodes.clusterUnusable,
  ProtocolFailure: exitCodes.clusterUnusable,
  Stalled: exitCodes.clusterUnusable,
  RestoreIncomplete: exitCodes.notFound,
  BackupGone: exitCodes.notFound,
  PreflightFailed: exitCodes.targetUnusable,
  TargetDisturbed: exitCodes.targetUnusable,
  Differs: exitCodes.notProven,
  BackupDamaged: exitCodes.notProven,
  LiveDiffers: exitCodes.notProven,
  NothingToDrill: exitCodes.notFound,
  LogReplaced: exitCodes.temporary,
  StoreUnavailable: exitCodes.temporary,
  LockHeld: exitCodes.temporary,
  GroupActive: exitCodes.temporary,
  Interrupted: exitCodes.interrupted,
  RestoreOvertaken: exitCodes.superseded,
  AttemptSuperseded: exitCodes.superseded,
  ProducerFenced: exitCodes.superseded
} as const satisfies Readonly<Record<string, ExitCode>>

export type FailureReason = keyof typeof all

/** Every failure reason. */
export const failureReasons: ReadonlyArray<FailureReason> = Object.keys(all) as Array<FailureReason>

export const isFailureReason = (name: string): name is FailureReason => Object.hasOwn(all, name)

/** The properties of every expected failure of a run, whichever room it comes from. */
export interface Failure extends Error {
  readonly reason: { readonly _tag: FailureReason }
  /** True if the same attempt may succeed later although nothing was changed. */
  readonly isRetryable: boolean
  /** The next step for a person. */
  readonly advice: string
}

/** The exit code of a failure: that of its reason, or `temporary` if a failure of that reason may pass this time. */
export const exitCode = ({ isRetryable, reason }: Pick<Failure, "isRetryable" | "reason">): ExitCode => {
  const code = all[reason._tag]
  return isRetryable && code < exitCodes.temporary ? exitCodes.temporary : code
}
