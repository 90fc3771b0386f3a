import { Result } from "effect"
import type { Event, KubeObject } from "../../kubernetes/Objects.ts"
import type { OffsetKind } from "../../resource/OffsetCrds.ts"
import * as OffsetResource from "../../resource/OffsetResource.ts"
import type { OffsetStatus, Operation } from "../../status/offsets/OffsetFacts.ts"
import * as Previous from "../../status/Previous.ts"
import type { OneTimeCaches } from "../oneTime/OneTimeCaches.ts"
import * as OneTimeObserved from "../oneTime/OneTimeObserved.ts"

type Resource = OffsetResource.KafkaOffsetReset | OffsetResource.KafkaOffsetRollback

/** One resource with everything that the caches hold about it. Instants are milliseconds since 1970. */
export interface OffsetObserved extends OneTimeObserved.OneTimeObserved {
  readonly kind: OffsetKind
  readonly wanted: Resource | undefined
  readonly operation: Operation
  readonly previous: OffsetStatus
}

/** True where nothing is changed, neither offsets nor snapshots. */
export const isReadOnly = (wanted: Resource | undefined): boolean =>
  wanted?.kind === "KafkaOffsetReset" ? wanted.spec.dryRun : wanted?.spec.operation === "verify"

/** Observes one resource of this kind. Pure; `events` are those about its stuck Jobs. */
export const of = (
  kind: OffsetKind,
  caches: Pick<OneTimeCaches, "jobs" | "pods">,
  resource: KubeObject,
  nowMillis: number,
  events: ReadonlyArray<Event> = []
): OffsetObserved => {
  const { status, ...desired } = resource
  const parsed = OffsetResource.fromServer(kind, desired)
  const wanted = Result.isSuccess(parsed) ? parsed.success : undefined
  const previous = Previous.readOffsets(status)
  const problems = Result.isFailure(parsed) ? parsed.failure.problems : []
  return {
    ...OneTimeObserved.of({ caches, resource, nowMillis, events }, problems, previous, "offsets"),
    kind,
    wanted,
    operation: wanted?.kind === "KafkaOffsetRollback" ? wanted.spec.operation : "reset",
    previous
  }
}
