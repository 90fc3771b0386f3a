import type { FailureReason } from "../outcome/FailureReasons.ts"
import type { History } from "./History.ts"
import type { HistoryEntry } from "./Status.ts"

/** What one run shows about a question: the answer, and the run that gave it. */
export interface Evidence {
  readonly isGood: boolean
  readonly entry: HistoryEntry
}

/** What a failed run shows by its reason. Nothing about what is absent. */
interface Shown {
  readonly kafka?: boolean
  readonly storage?: boolean
  readonly verified?: boolean
}

const kafkaFailed: Shown = { kafka: false }
const storageFailed: Shown = { storage: false }
const reached: Shown = { kafka: true, storage: true }
const proofFailed: Shown = { kafka: true, storage: true, verified: false }

/** From the reasons of failed runs, as their reports name them. */
const byReason: Readonly<Record<FailureReason | "VerificationFailed", Shown>> = {
  BrokerUnreachable: kafkaFailed,
  TokenUnavailable: kafkaFailed,
  KafkaAuthenticationFailed: kafkaFailed,
  KafkaAuthorizationFailed: kafkaFailed,
  TopicAccessDenied: kafkaFailed,
  ProtocolFailure: kafkaFailed,
  Stalled: kafkaFailed,
  TopicMissing: { kafka: true },
  NoTopicsMatched: { kafka: true },
  TopicVanished: { kafka: true },
  TopicRecreated: { kafka: true },
  LogTruncated: { kafka: true },
  LogReplaced: { kafka: true },
  CorruptBatch: { kafka: true },
  UnsupportedBatch: { kafka: true },
  BatchRefused: { kafka: true },
  ProducerFenced: { kafka: true },
  GroupActive: { kafka: true },
  RecordNotRepresentable: { kafka: true },
  RecordTooLarge: { kafka: true },
  BatchTooLarge: { kafka: true },
  WindowTooLarge: { kafka: true },
  MalformedRecords: { kafka: true },
  StoreUnavailable: storageFailed,
  StorageAuthenticationFailed: storageFailed,
  StorageAuthorizationFailed: storageFailed,
  TargetMissing: storageFailed,
  Misconfigured: storageFailed,
  OutOfSpace: storageFailed,
  ContentMismatch: { storage: true, verified: false },
  ObjectExists: { storage: true },
  ObjectNotFound: { storage: true },
  DocumentUnreadable: { storage: true },
  UnknownFormat: { storage: true },
  NoFreeId: { storage: true },
  RunAlreadyTaken: { storage: true },
  AttemptSuperseded: { storage: true },
  LockHeld: { storage: true },
  NotProven: proofFailed,
  SegmentDamaged: proofFailed,
  VerificationFailed: proofFailed,
  // These come before either was tried, or show nothing about it.
  SecretUnusable: {},
  NotSupported: {},
  MemoryTooSmall: {},
  Interrupted: {},
  SetNotFound: {},
  // Of restores: no run has them.
  PreflightFailed: {},
  RestoreIncomplete: {},
  BackupGone: {},
  TargetDisturbed: {},
  Differs: {},
  RestoreOvertaken: {},
  // Of drills.
  BackupDamaged: {},
  LiveDiffers: {},
  NothingToDrill: {},
  SetIncomplete: {}
}

const isShown = (reason: string): reason is keyof typeof byReason => Object.hasOwn(byReason, reason)

const shownBy = ({ outcome, reason }: HistoryEntry): Shown =>
  outcome === "success"
    ? { ...reached, verified: true }
    : reason !== undefined && isShown(reason)
      ? byReason[reason]
      : {}

/** True for a reason that shows that this was not reached. */
export const isFailed = (reason: string, question: "kafka" | "storage"): boolean =>
  isShown(reason) && byReason[reason][question] === false

/** What a failure with this reason shows about one side: reached or not; undefined where it shows nothing. */
export const shows = (reason: string, question: "kafka" | "storage"): boolean | undefined =>
  isShown(reason) ? byReason[reason][question] : undefined

/** The answer of the newest run that has one. `undefined`: no run has. */
export const newest = (history: History, question: keyof Shown): Evidence | undefined => {
  for (const entry of history) {
    const isGood = shownBy(entry)[question]
    if (isGood !== undefined) return { isGood, entry }
  }
  return undefined
}
