import { Effect, Option } from "effect"
import type { Job, Pod } from "../kubernetes/Objects.ts"
import * as JobFacts from "./jobs/JobFacts.ts"
import * as ShardsProgress from "./jobs/ShardsProgress.ts"
import { PodProgress } from "./PodProgress.ts"

/**
 * What the running pod of a run answers; of a run with several shards, what all their pods answer, and what those
 * reported that ended. None while nobody answers. `own` are all pods of the Job.
 */
export const progress = Effect.fnUntraced(function* (job: Job, running: ReadonlyArray<Pod>, own: ReadonlyArray<Pod>) {
  const pods = yield* PodProgress
  const [first] = running
  if (first === undefined) return Option.none()
  if (JobFacts.shards(job) === 1) return yield* pods.read(first)
  const answers = yield* Effect.forEach(running, (pod) => pods.read(pod), { concurrency: "unbounded" })
  return Option.fromUndefinedOr(ShardsProgress.sum(answers.flatMap(Option.toArray), ShardsProgress.ended(own)))
})
