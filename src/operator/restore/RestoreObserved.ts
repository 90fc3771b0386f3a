import { Result } from "effect"
import type { Event, KubeObject } from "../../kubernetes/Objects.ts"
import * as KafkaRestore from "../../resource/KafkaRestore.ts"
import * as Previous from "../../status/Previous.ts"
import type { RestoreStatus } from "../../status/restore/RestoreFacts.ts"
import type { OneTimeCaches } from "../oneTime/OneTimeCaches.ts"
import * as OneTimeObserved from "../oneTime/OneTimeObserved.ts"

/** One restore with everything that the caches hold about it. Instants are milliseconds since 1970. */
export interface RestoreObserved extends OneTimeObserved.OneTimeObserved {
  readonly restore: KafkaRestore.KafkaRestore | undefined
  readonly previous: RestoreStatus
  /** The Jobs that repeat the group step of a complete restore. */
  readonly groupJobs: ReadonlyArray<OneTimeObserved.ObservedJob>
}

/** Observes one restore. Pure; `events` are those about its stuck Jobs. */
export const of = (
  caches: Pick<OneTimeCaches, "jobs" | "pods">,
  resource: KubeObject,
  nowMillis: number,
  events: ReadonlyArray<Event> = []
): RestoreObserved => {
  const { status, ...desired } = resource
  const parsed = KafkaRestore.fromServer(desired)
  const previous = Previous.readRestore(status)
  const seen = { caches, resource, nowMillis, events }
  const problems = Result.isFailure(parsed) ? parsed.failure.problems : []
  return {
    ...OneTimeObserved.of(seen, problems, previous, "restore"),
    restore: Result.isSuccess(parsed) ? parsed.success : undefined,
    previous,
    groupJobs: OneTimeObserved.jobsFor(seen, "offsets")
  }
}
