import { Clock, Console, Effect, Result } from "effect"
import { randomUUID } from "node:crypto"
import { RunFailed } from "../../cli/RunFailed.ts"
import * as Kind from "../../kubernetes/Kind.ts"
import { KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import { hasReason } from "../../kubernetes/KubernetesError.ts"
import type { Event, Job } from "../../kubernetes/Objects.ts"
import * as JobFacts from "../../operator/jobs/JobFacts.ts"
import * as PodFailure from "../../operator/jobs/PodFailure.ts"
import * as Labels from "../../operator/Labels.ts"
import { exitCodes } from "../../outcome/ExitCodes.ts"
import type { KafkaBackup } from "../../resource/KafkaBackup.ts"
import { RequestRefused } from "../Problems.ts"
import * as CommandJob from "./CommandJob.ts"
import * as JobCourse from "./JobCourse.ts"
import * as JobProblems from "./JobProblems.ts"
import * as PodOutput from "./PodOutput.ts"
import * as SettingsOfJobs from "./SettingsOfJobs.ts"

/** One command on the storage of a resource. */
export interface Wanted {
  readonly backup: KafkaBackup
  readonly args: ReadonlyArray<string>
  /** Instead of that of the newest Job. */
  readonly image: string | undefined
  /** How long the command may take, in milliseconds. */
  readonly timeoutMillis: number
  /** How long its pod may take to start, in milliseconds. */
  readonly startMillis: number
}

/** What cannot be cured by waiting is given up after this time, in milliseconds. */
const shortMillis = 20_000
const lasting: ReadonlySet<string> = new Set([
  "ImagePullFailed",
  "ContainerCannotStart",
  "QuotaExceeded",
  "QuotaNeedsResources",
  "PodSecurityViolated",
  "ServiceAccountMissing",
  "NamespaceTerminating"
])

/** Events only explain; who may not read them is told less. */
const eventsAbout = Effect.fnUntraced(function* (namespace: string, names: ReadonlyArray<string>) {
  const api = yield* KubernetesApi
  const lists = yield* Effect.forEach(names, (name) =>
    api.list(Kind.events, { namespace, fieldSelector: `regarding.name=${name}` }).pipe(
      Effect.map(({ items }) => items),
      Effect.catch(() => Effect.succeed<ReadonlyArray<Event>>([]))
    )
  )
  return lists.flat()
})

const look = Effect.fnUntraced(function* ({ metadata }: Job) {
  const api = yield* KubernetesApi
  const { name, namespace = "" } = metadata
  const job = yield* api
    .get(Kind.jobs, { namespace, name })
    .pipe(Effect.catchIf(hasReason("NotFound"), () => Effect.succeed(undefined)))
  const { items: pods } = yield* api.list(Kind.pods, {
    namespace,
    labelSelector: `batch.kubernetes.io/job-name=${name}`
  })
  const isStarted = pods.some(({ status }) => status?.phase !== undefined && status.phase !== "Pending")
  const names = [name, ...pods.map((pod) => pod.metadata.name)]
  const events = isStarted ? [] : yield* eventsAbout(namespace, names)
  return { job, pods, events } satisfies JobCourse.Seen
})

/** Looks until the Job is further than `Waiting`, or fails with what keeps it there. */
const started = Effect.fnUntraced(function* (job: Job, startMillis: number) {
  const sinceMillis = yield* Clock.currentTimeMillis
  let told: string | undefined
  for (;;) {
    const nowMillis = yield* Clock.currentTimeMillis
    const course = JobCourse.of(yield* look(job), nowMillis)
    if (course._tag !== "Waiting") return course
    const { why } = course
    const waited = nowMillis - sinceMillis
    if (waited >= (why !== undefined && lasting.has(why.reason) ? Math.min(shortMillis, startMillis) : startMillis)) {
      return yield* new JobProblems.PodNotStarted({
        detail: `the pod of Job ${job.metadata.name} has not started within ${Math.round(waited / 1000)} s: ${why === undefined ? "nothing says why" : `${why.reason}: ${why.message}`}`,
        advice: `correct what the message names; --start-timeout waits longer${why?.reason === "ImagePullFailed" ? ", --image names another image" : ""}`
      })
    }
    // Starting takes seconds everywhere: only what takes longer is worth a line.
    if (why !== undefined && why.reason !== told && waited >= 5000) {
      told = why.reason
      yield* Console.error(`waiting: ${why.reason}: ${why.message}`)
    }
    yield* Effect.sleep("1 second")
  }
})

/** Follows the output until the container is over. */
const worked = Effect.fnUntraced(function* (
  job: Job,
  start: JobCourse.Course,
  { follow }: ReturnType<typeof PodOutput.make>
) {
  let course = start
  while (course._tag === "Running" || course._tag === "Waiting") {
    if (course._tag === "Running") yield* follow(course.pod.metadata)
    course = JobCourse.of(yield* look(job), yield* Clock.currentTimeMillis)
    if (course._tag === "Running" || course._tag === "Waiting") yield* Effect.sleep("1 second")
  }
  return course
})

/** Follows the output to its end; gives how the Job ended. A log that ends before its container does is read again. */
const followed = Effect.fnUntraced(function* (
  job: Job,
  start: JobCourse.Course,
  output: ReturnType<typeof PodOutput.make>,
  timeoutMillis: number
) {
  const { follow, received } = output
  // Kubernetes counts from the start of the Job, and so with the wait for the pod: its deadline is the later one.
  const course = yield* Effect.timeoutOrElse(worked(job, start, output), {
    duration: timeoutMillis,
    orElse: () => Effect.succeed({ _tag: "TimedOut" } as const)
  })
  for (let again = 0; again < 3 && course._tag === "Ended" && received.wanted === undefined; again++) {
    if (again > 0) yield* Effect.sleep("1 second")
    yield* follow(course.pod.metadata)
    if (received.trouble === undefined) break
  }
  return course
})

/** The command's own ends are told by the command itself. */
const codesOfCommands: ReadonlySet<number> = new Set(Object.values(exitCodes))

const conclude = Effect.fnUntraced(function* (
  { args, timeoutMillis }: Wanted,
  job: Job,
  course: Exclude<JobCourse.Course, { readonly _tag: "Waiting" | "Running" }>,
  { length, trouble, wanted }: PodOutput.Received
) {
  const image = JobFacts.image(job) ?? "unknown"
  switch (course._tag) {
    case "TimedOut":
      return yield* new JobProblems.CommandTimedOut({
        detail: `${args[0]} was still at work after ${timeoutMillis / 1000} s, and was ended`,
        advice: "give it longer with --timeout, such as --timeout 2h"
      })
    case "Lost":
      return yield* new JobProblems.PodLost({
        detail: `the pod of Job ${job.metadata.name} gave no result: ${course.why}`,
        advice: "repeat the command; it has changed nothing"
      })
    case "Ended": {
      const { exitCode, pod } = course
      if (wanted === undefined && trouble !== undefined) {
        return yield* new JobProblems.OutputIncomplete({
          detail: `the log of Job ${job.metadata.name} cannot be read: ${trouble}`,
          advice: "repeat the command; where it cannot be read at all, its node does not answer"
        })
      }
      if (wanted === undefined && (exitCode === exitCodes.success || exitCode === exitCodes.usage)) {
        return yield* new JobProblems.ImageTooOld({
          detail: `image ${image} does not answer as this plugin expects: it is of another version`,
          advice: "name an image of the plugin's version with --image, or use the plugin of the operator's version"
        })
      }
      if (!codesOfCommands.has(exitCode)) {
        const why = PodFailure.explain(job, pod)
        return yield* new JobProblems.PodLost({
          detail: `the pod of Job ${job.metadata.name} ended with exit code ${exitCode}${why === undefined ? "" : `: ${why.message}`}`,
          advice: "look at the pod's events and limits: kubectl describe pod; the command has changed nothing"
        })
      }
      if (exitCode !== exitCodes.success) return yield* new RunFailed({ exitCode })
      if (length === wanted) return
      return yield* new JobProblems.OutputIncomplete({
        detail: `the log of Job ${job.metadata.name} has ${length} of ${wanted} characters of the result: the node has cut it off`,
        advice: "ask for less, such as without -o json, or raise containerLogMaxSize of the kubelet"
      })
    }
  }
})

/** It ends by itself at its deadline where it may not be deleted. One that somebody has deleted is gone already. */
const remove = (job: Job) =>
  Effect.gen(function* () {
    const api = yield* KubernetesApi
    yield* api.remove(Kind.jobs, job.metadata, { propagation: "Background" })
  }).pipe(
    Effect.catchIf(hasReason("NotFound"), () => Effect.void),
    Effect.catch(() => Console.error(`Job ${job.metadata.name} was not deleted; it ends by itself`))
  )

/**
 * Runs the command in a Job of the resource: its result goes to standard output while it comes, everything else to
 * standard error. Fails with `RunFailed` where the command did. The Job is deleted unless it ended by itself.
 */
export const run = Effect.fn("CommandRun.run")(function* (wanted: Wanted) {
  const { args, backup, image, startMillis, timeoutMillis } = wanted
  const { namespace = "", uid = "" } = backup.metadata
  const api = yield* KubernetesApi
  const { items } = yield* api.list(Kind.jobs, { namespace, labelSelector: `${Labels.ours},${Labels.uidLabel}=${uid}` })
  const made = CommandJob.make({
    backup,
    settings: SettingsOfJobs.of(backup, SettingsOfJobs.newest(items, uid), image),
    args,
    unique: randomUUID(),
    deadlineSeconds: Math.ceil((timeoutMillis + startMillis) / 1000)
  })
  if (Result.isFailure(made)) {
    return yield* new RequestRefused({ detail: made.failure.message, advice: "correct the KafkaBackup" })
  }
  let isOver = false
  yield* Effect.acquireUseRelease(
    api.create(Kind.jobs, made.success),
    Effect.fnUntraced(function* (job) {
      const output = PodOutput.make((line) => Console.error(line))
      const end = yield* followed(job, yield* started(job, startMillis), output, timeoutMillis)
      isOver = end._tag === "Ended"
      yield* conclude(wanted, job, end, output.received)
    }),
    (job) => (isOver ? Effect.void : remove(job))
  )
})
