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

/**
 * `podFailurePolicy`: the first rule that fits decides. Eviction, drain and preemption use up no attempt, with any
 * exit code; a failure that needs a person ends the Job; every other failure uses up an attempt.
 */
export const policy = {
  rules: [
    { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
    { action: "FailJob", onExitCodes: { containerName, operator: "In", values: permanentExitCodes } }
  ]
} as const
