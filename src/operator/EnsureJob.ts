import { Effect, Result } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../kubernetes/KubernetesError.ts"
import type { Job } from "../kubernetes/Objects.ts"
import { given } from "../resource/Json.ts"
import type { RunReasonOf } from "../outcome/RunReasons.ts"
import type { Trouble } from "../status/Facts.ts"
import * as JobFacts from "./jobs/JobFacts.ts"
import type { JobRefused } from "./jobs/JobObject.ts"
import { refusal } from "./jobs/Refusal.ts"

/** Why the API server rejects a Job, with what to do. */
export type JobTrouble = Trouble<RunReasonOf<"refusal">>

/** The result of ensuring a Job. */
export type Made =
  /** It exists: made now, or made by an earlier attempt whose memory was lost, found and adopted. */
  | { readonly _tag: "There"; readonly job: Job; readonly isAdopted: boolean }
  /** It cannot be made now, and does not exist. */
  | { readonly _tag: "Refused"; readonly trouble: JobTrouble; readonly isNamespaceTerminating: boolean }

const refused = (trouble: JobTrouble, isNamespaceTerminating = false): Made => ({
  _tag: "Refused",
  trouble,
  isNamespaceTerminating
})

/**
 * Makes the Job of this name for the resource with this uid, or finds it made. The name is the mutual exclusion: of two
 * operators that both believe they lead, and of two attempts of one, exactly one creates. A Job of another owner is
 * left alone. Fails only with errors that waiting may cure; whether the request was carried out is then unknown, and
 * the next attempt finds out.
 */
export const make = Effect.fn("EnsureJob.make")(function* (
  wanted: Result.Result<Job, JobRefused>,
  uid: string
): Effect.fn.Return<Made, KubernetesError, KubernetesApi> {
  if (Result.isFailure(wanted)) return refused({ reason: wanted.failure.reason, message: wanted.failure.message })
  const api = yield* KubernetesApi
  const job = wanted.success
  const { name, namespace } = job.metadata
  return yield* api.create(Kind.jobs, job).pipe(
    Effect.map((created): Made => ({ _tag: "There", job: created, isAdopted: false })),
    Effect.catchIf(hasReason("AlreadyExists"), (taken) =>
      api
        .get(Kind.jobs, given({ name, namespace }))
        .pipe(
          Effect.map((found): Made =>
            JobFacts.isFor(found, uid) ? { _tag: "There", job: found, isAdopted: true } : refused(refusal(taken))
          )
        )
    ),
    Effect.catchIf(hasReason("Forbidden", "Invalid"), (error) =>
      Effect.succeed(refused(refusal(error), error.reason._tag === "Forbidden" && error.reason.isNamespaceTerminating))
    )
  )
})
