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

const ofDisruption = { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] } as const

/**
 * `podFailurePolicy`: the first rule that fits decides. Eviction, drain and preemption use up no attempt, with any
 * exit code; a failure that needs a person ends the Job; every other failure uses up an attempt.
 */
export const policy = {
  rules: [
    ofDisruption,
    { action: "FailJob", onExitCodes: { containerName, operator: "In", values: permanentExitCodes } }
  ]
} as const

/** Exit codes after which nothing was changed, or the pod itself says that another one may go on. */
const harmless: ReadonlyArray<number> = [exitCodes.temporary, exitCodes.interrupted, exitCodes.superseded]

/**
 * The same for work that must not be repeated unasked: a pod that was killed may have set offsets of groups that have
 * read on since.
 */
export const cautious = {
  rules: [ofDisruption, { action: "FailJob", onExitCodes: { containerName, operator: "NotIn", values: harmless } }]
} as const
