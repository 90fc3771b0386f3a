import type { KubeObject } from "../kubernetes/Objects.ts"
import * as FailureReasons from "../outcome/FailureReasons.ts"
import * as Previous from "../status/Previous.ts"
import type { Ending } from "./Ending.ts"
import * as Following from "./Following.ts"
import * as Progress from "./Progress.ts"

/** The end of a restore, and the resource as it is then. */
export interface EndedRestore extends Ending {
  readonly resource: KubeObject
}

/** The word of the failure itself, which the operator puts before its message; `Ready` says only that there was one. */
const reasonOf = (message: string | undefined): string | undefined => {
  const [, word] = /^([A-Z][A-Za-z]+): /u.exec(message ?? "") ?? []
  return word !== undefined && FailureReasons.isFailureReason(word) ? word : undefined
}

/** How far a restore is. What the status says of an earlier generation, such as its dry run, does not count. Pure. */
export const of = (resource: KubeObject, generation: number): Following.Step<EndedRestore> => {
  const { conditions = [], message, observedGeneration = 0, phase, progress } = Previous.readRestore(resource.status)
  const ready = conditions.find(({ type }) => type === "Ready")
  const text = ready?.message ?? message ?? "no reason was reported"
  if (observedGeneration < generation) return Following.going("waiting for the operator")
  switch (phase) {
    case "Completed":
      return Following.over({ resource, outcome: "success", message: text })
    case "Failed":
      return Following.over({
        resource,
        outcome: "failed",
        reason: reasonOf(message) ?? ready?.reason,
        message: message ?? text
      })
    case "Running":
      return Following.going(Progress.line(progress))
    default:
      return Following.going(text)
  }
}
