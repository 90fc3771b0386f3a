import type { FailureReason } from "../../outcome/FailureReasons.ts"
import type { RunReasonName } from "../../outcome/RunReasons.ts"
import type { Facts } from "../Facts.ts"
import * as Format from "../Format.ts"
import type { HistoryEntry } from "../Status.ts"
import type { Preflight } from "./PreflightFacts.ts"

/**
 * Reasons of failed runs that a check looks at, too: where it passes later, the cause is gone. Of the others (memory,
 * room, damaged batches, a deadline, a topic that changed underneath) a check shows nothing, so only a run answers.
 */
const lookedAt: ReadonlySet<string> = new Set<FailureReason | RunReasonName>([
  "BrokerUnreachable",
  "TokenUnavailable",
  "KafkaAuthenticationFailed",
  "KafkaAuthorizationFailed",
  "TopicAccessDenied",
  "TopicMissing",
  "NoTopicsMatched",
  "StoreUnavailable",
  "StorageAuthenticationFailed",
  "StorageAuthorizationFailed",
  "TargetMissing",
  "Misconfigured",
  "SecretUnusable",
  "PodNotStarted",
  "ContainerCannotRun"
])

/**
 * True when a check of this spec passed after this run failed, and had looked at what the run failed for: then nothing
 * that is known speaks against the next run.
 */
export const isCured = (
  { completionTime, outcome, reason = "", startTime }: HistoryEntry,
  preflight: Preflight | undefined,
  { generation }: Pick<Facts, "generation">
): boolean =>
  outcome === "failed" &&
  lookedAt.has(reason) &&
  preflight?.outcome === "Passed" &&
  preflight.generation === generation &&
  preflight.lastProbeTime !== undefined &&
  Format.millis(preflight.lastProbeTime) > Format.millis(completionTime ?? startTime)

/** What the check says that passed since. */
export const text = ({ lastProbeTime = "" }: Preflight): string =>
  `A check that ended at ${lastProbeTime} has found everything that a run needs since`
