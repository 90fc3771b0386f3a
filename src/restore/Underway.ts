import type { Means } from "./HoleMeans.ts"
import type { Journal } from "./Journal.ts"
import type { RestorePlan } from "./RestorePlan.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"
import type { Options, Systems } from "./RestoreWork.ts"
import type { TargetTopic } from "./TargetTopic.ts"

/** A restore that is being carried out: its topics are there. */
export interface Underway {
  readonly systems: Systems
  readonly request: RestoreRequest
  readonly options: Options
  readonly means: Means
  readonly plan: RestorePlan
  readonly targets: ReadonlyArray<TargetTopic>
  /** Those that no attempt has proven. */
  readonly unproven: ReadonlyArray<TargetTopic>
  /** Whether an earlier attempt has written to one of them. */
  readonly hasBegun: boolean
  readonly journal: Journal
}
