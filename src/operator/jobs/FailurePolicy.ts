import { exitCodes } from "../../outcome/ExitCodes.ts"
import { containerName } from "./JobSettings.ts"

/**
 * Exit codes with which every further attempt would fail the same way: 10 to 19 by contract, and options that cannot
 * work.
 */
export const permanentExitCodes: ReadonlyArray<number> = [
  exitCodes.usage,
  ...Array.from({ length: 10 }, (_, n) => exitCodes.invalidManifest + n)
]

const ofDisruption = [{ type: "DisruptionTarget", status: "True" }] as const

/**
 * `podFailurePolicy`: the first rule that fits decides. Eviction, drain and preemption use up no attempt, with any
 * exit code; a failure that needs a person ends the Job; every other failure uses up an attempt.
 */
export const policy = {
  rules: [
    { action: "Ignore", onPodConditions: ofDisruption },
    { action: "FailJob", onExitCodes: { containerName, operator: "In", values: permanentExitCodes } }
  ]
} as const

/** Exit codes after which no offset was changed. */
export const harmless: ReadonlyArray<number> = [exitCodes.temporary, exitCodes.interrupted, exitCodes.superseded]

/**
 * The same for work that must not be repeated unasked: a pod that was killed may have set offsets of groups that have
 * read on since. So the exit code decides first, also of a pod that was evicted. A pod that was taken away and left no
 * exit code, such as that of a lost node, may have set some, too.
 */
export const cautious = {
  rules: [
    { action: "FailJob", onExitCodes: { containerName, operator: "NotIn", values: harmless } },
    { action: "Count", onExitCodes: { containerName, operator: "In", values: harmless } },
    { action: "FailJob", onPodConditions: ofDisruption }
  ]
} as const
