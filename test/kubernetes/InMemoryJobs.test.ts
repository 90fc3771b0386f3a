import { assert, describe, it } from "@effect/vitest"
import { Deferred, type Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { InMemoryKubernetes } from "../../src/kubernetes/InMemoryKubernetes.ts"
import { jobs, namespaces, pods } from "../../src/kubernetes/Kind.ts"
import { KubernetesApi } from "../../src/kubernetes/KubernetesApi.ts"
import type { ContainerEnd } from "../../src/kubernetes/memory/PodRun.ts"
import type { Job, Pod } from "../../src/kubernetes/Objects.ts"

const ref = { namespace: "team", name: "hourly" }

const job = (spec: NonNullable<Job["spec"]> = {}): Job => ({
  apiVersion: jobs.apiVersion,
  kind: jobs.kind,
  metadata: ref,
  spec: {
    ...spec,
    template: {
      metadata: { labels: { app: "backup" }, annotations: { note: "x" } },
      spec: { restartPolicy: "Never", containers: [{ name: "backup", image: "backup:1" }] }
    }
  }
})

/** Lets everything happen that is due now. */
const settled = Effect.flatMap(InMemoryKubernetes, ({ settled }) => settled)

/** Lets time pass, with everything that is due in it. */
const pass = (duration: Duration.Input) => Effect.andThen(settled, Effect.andThen(TestClock.adjust(duration), settled))

const podsNow = Effect.gen(function* () {
  const { behind } = yield* InMemoryKubernetes
  return (yield* behind.list(pods, { namespace: "team" })).items
})

const jobNow = Effect.flatMap(InMemoryKubernetes, ({ behind }) => behind.get(jobs, ref))

const conditionsOf = ({ status }: Job) => (status?.conditions ?? []).map(({ reason, type }) => `${type} ${reason}`)

const terminated = (pod: Pod | undefined) => pod?.status?.containerStatuses?.[0]?.state?.terminated

const fact = <A, E>(title: string, body: () => Effect.Effect<A, E, InMemoryKubernetes | KubernetesApi>) =>
  it.effect(title, () => Effect.provide(body(), InMemoryKubernetes.layer))

const fails = (exitCode: number, more: Partial<ContainerEnd> = {}) => Effect.succeed({ exitCode, ...more })

describe("Jobs in memory", () => {
  fact("run one pod that carries the template's labels, belongs to the Job, and leaves its message", () =>
    Effect.gen(function* () {
      const { node } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* node.run((_, job) =>
        Effect.delay(Effect.succeed({ exitCode: 0, message: `done by ${job.metadata.name}` }), "5 minutes")
      )
      const made = yield* api.create(jobs, job())
      yield* settled
      const [running] = yield* podsNow
      assert.match(running?.metadata.name ?? "", /^hourly-[0-9a-r]{5}$/)
      assert.strictEqual(running?.metadata.labels?.["app"], "backup")
      assert.strictEqual(running?.metadata.labels?.["batch.kubernetes.io/job-name"], "hourly")
      assert.strictEqual(running?.metadata.annotations?.["note"], "x")
      assert.strictEqual(running?.metadata.ownerReferences?.[0]?.uid, made.metadata.uid)
      assert.strictEqual(running?.status?.phase, "Running")
      assert.match(running?.status?.podIP ?? "", /^10\./)
      assert.deepInclude((yield* jobNow).status, { active: 1, startTime: "1970-01-01T00:00:00Z" })
      yield* pass("5 minutes")
      const [ended] = yield* podsNow
      assert.strictEqual(ended?.status?.phase, "Succeeded")
      assert.deepStrictEqual(terminated(ended), {
        exitCode: 0,
        reason: "Completed",
        message: "done by hourly",
        startedAt: "1970-01-01T00:00:00Z",
        finishedAt: "1970-01-01T00:05:00Z"
      })
      const { status } = yield* jobNow
      assert.deepInclude(status, { succeeded: 1, completionTime: "1970-01-01T00:05:00Z" })
      assert.isUndefined(status?.active)
      assert.include(conditionsOf(yield* jobNow), "Complete CompletionsReached")
      assert.strictEqual((yield* podsNow).length, 1)
    })
  )

  fact("replace failed pods after 10, 20, 40 seconds, and fail beyond backoffLimit", () =>
    Effect.gen(function* () {
      const { node } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* node.run(() => fails(1, { reason: "OOMKilled", message: "too big" }))
      yield* api.create(jobs, job({ backoffLimit: 2 }))
      const count = Effect.map(podsNow, ({ length }) => length)
      yield* settled
      assert.strictEqual(yield* count, 1)
      assert.deepInclude(terminated((yield* podsNow)[0]), { exitCode: 1, reason: "OOMKilled", message: "too big" })
      yield* pass("9 seconds")
      assert.strictEqual(yield* count, 1)
      yield* pass("1 second")
      assert.strictEqual(yield* count, 2)
      yield* pass("19 seconds")
      assert.strictEqual(yield* count, 2)
      assert.strictEqual((yield* jobNow).status?.failed, 2)
      assert.deepStrictEqual(conditionsOf(yield* jobNow), [])
      yield* pass("1 second")
      assert.strictEqual(yield* count, 3)
      assert.strictEqual((yield* jobNow).status?.failed, 3)
      assert.include(conditionsOf(yield* jobNow), "Failed BackoffLimitExceeded")
      yield* pass("1 hour")
      assert.strictEqual(yield* count, 3)
    })
  )

  fact("fail at the same times when the clock jumps", () =>
    Effect.gen(function* () {
      const { node } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* node.run(() => fails(1))
      yield* api.create(jobs, job({ backoffLimit: 3 }))
      yield* pass("1 day")
      const ends = (yield* podsNow).map((pod) => terminated(pod)?.finishedAt).sort()
      assert.deepStrictEqual(ends, [
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:10Z",
        "1970-01-01T00:00:30Z",
        "1970-01-01T00:01:10Z"
      ])
    })
  )

  fact("fail at once on an exit code of a FailJob rule", () =>
    Effect.gen(function* () {
      const { node } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* node.run(() => fails(2))
      const rules = [{ action: "FailJob", onExitCodes: { operator: "In", values: [2, 3] } }]
      yield* api.create(jobs, job({ backoffLimit: 6, podFailurePolicy: { rules } }))
      yield* settled
      assert.include(conditionsOf(yield* jobNow), "Failed PodFailurePolicy")
      const [, failed] = (yield* jobNow).status?.conditions ?? []
      assert.include(failed?.message, "exit code 2 matching FailJob rule at index 0")
      yield* pass("1 hour")
      assert.strictEqual((yield* podsNow).length, 1)
    })
  )

  fact("replace an evicted pod without counting it, by an Ignore rule", () =>
    Effect.gen(function* () {
      const { node, until } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      const interrupted = yield* Deferred.make<void>()
      yield* node.run(() => Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined)))
      const rules = [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget" }] }]
      yield* api.create(jobs, job({ backoffLimit: 0, podFailurePolicy: { rules } }))
      yield* settled
      const [first] = yield* podsNow
      yield* node.evict(first!.metadata)
      yield* Deferred.await(interrupted)
      const evicted = yield* until(pods, first!.metadata, (pod) => pod?.status?.phase === "Failed")
      assert.strictEqual(evicted?.status?.reason, "Evicted")
      assert.strictEqual(terminated(evicted)?.exitCode, 137)
      yield* node.run(() => fails(0))
      yield* pass("10 seconds")
      const { status } = yield* jobNow
      assert.isUndefined(status?.failed)
      assert.strictEqual(status?.succeeded, 1)
      assert.strictEqual((yield* podsNow).length, 2)
    })
  )

  fact("count a deleted pod as failed", () =>
    Effect.gen(function* () {
      const { behind, node } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* node.run(() => Effect.never)
      yield* api.create(jobs, job({ backoffLimit: 1 }))
      yield* settled
      const [first] = yield* podsNow
      yield* behind.remove(pods, first!.metadata)
      yield* settled
      assert.strictEqual((yield* jobNow).status?.failed, 1)
      yield* pass("10 seconds")
      const [second] = yield* podsNow
      assert.notStrictEqual(second?.metadata.uid, first?.metadata.uid)
      yield* behind.remove(pods, second!.metadata)
      yield* settled
      assert.include(conditionsOf(yield* jobNow), "Failed BackoffLimitExceeded")
    })
  )

  fact("end at activeDeadlineSeconds, with their pod", () =>
    Effect.gen(function* () {
      const { node } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      const interrupted = yield* Deferred.make<void>()
      yield* node.run(() => Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined)))
      yield* api.create(jobs, job({ activeDeadlineSeconds: 60 }))
      yield* pass("59 seconds")
      assert.deepStrictEqual(conditionsOf(yield* jobNow), [])
      yield* pass("1 second")
      assert.include(conditionsOf(yield* jobNow), "Failed DeadlineExceeded")
      yield* Deferred.await(interrupted)
      assert.deepStrictEqual(yield* podsNow, [])
    })
  )

  fact("are removed with their pods ttlSecondsAfterFinished after their end", () =>
    Effect.gen(function* () {
      const { behind } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* api.create(jobs, job({ ttlSecondsAfterFinished: 100 }))
      yield* pass("99 seconds")
      assert.strictEqual((yield* podsNow).length, 1)
      yield* pass("1 second")
      assert.deepStrictEqual((yield* behind.list(jobs, {})).items, [])
      assert.deepStrictEqual(yield* podsNow, [])
    })
  )

  fact("stay until they get a ttl", () =>
    Effect.gen(function* () {
      const { behind } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* api.create(jobs, job())
      yield* pass("10 days")
      assert.strictEqual((yield* jobNow).status?.succeeded, 1)
      yield* api.patch(jobs, ref, { spec: { ttlSecondsAfterFinished: 0 } })
      yield* settled
      assert.deepStrictEqual((yield* behind.list(jobs, {})).items, [])
    })
  )

  fact("stop their container when they are deleted, and remove their pods", () =>
    Effect.gen(function* () {
      const { node } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      const interrupted = yield* Deferred.make<void>()
      yield* node.run(() => Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined)))
      yield* api.create(jobs, job())
      yield* settled
      yield* api.remove(jobs, ref)
      yield* Deferred.await(interrupted)
      assert.deepStrictEqual(yield* podsNow, [])
      yield* pass("1 day")
      assert.deepStrictEqual(yield* podsNow, [])
    })
  )

  fact("wait while the pod cannot be scheduled or its image pulled, and continue after that", () =>
    Effect.gen(function* () {
      const { node } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* node.trouble(() => ({ _tag: "Unschedulable", message: "0/3 nodes are available" }))
      yield* api.create(jobs, job())
      yield* settled
      const [unscheduled] = yield* podsNow
      assert.strictEqual(unscheduled?.status?.phase, "Pending")
      assert.deepInclude(unscheduled?.status?.conditions?.[0], {
        type: "PodScheduled",
        status: "False",
        reason: "Unschedulable",
        message: "0/3 nodes are available"
      })
      yield* node.trouble(() => ({ _tag: "Waiting", reason: "ImagePullBackOff", message: "no such image" }))
      yield* settled
      const [waiting] = yield* podsNow
      assert.deepStrictEqual(waiting?.status?.containerStatuses?.[0]?.state?.waiting, {
        reason: "ImagePullBackOff",
        message: "no such image"
      })
      yield* node.trouble()
      yield* settled
      assert.strictEqual((yield* jobNow).status?.succeeded, 1)
    })
  )

  fact("report the error of a container's program as its message, cut to 4096 bytes", () =>
    Effect.gen(function* () {
      const { node } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* node.run(() => Effect.die(new Error("a defect")))
      yield* api.create(jobs, job({ backoffLimit: 0 }))
      yield* settled
      assert.include(terminated((yield* podsNow)[0])?.message, "a defect")
      yield* api.remove(jobs, ref)
      yield* node.run(() => fails(1, { message: "é".repeat(4000) }))
      yield* api.create(jobs, job({ backoffLimit: 0 }))
      yield* settled
      assert.strictEqual(Buffer.byteLength(terminated((yield* podsNow)[0])?.message ?? ""), 4096)
    })
  )

  fact("send no request of the operator's client, and get none of its faults", () =>
    Effect.gen(function* () {
      const { behind, calls, plan } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* api.create(jobs, job())
      yield* plan(() => [{ _tag: "Delay", duration: "1 day" }])
      yield* settled
      assert.strictEqual((yield* behind.get(jobs, ref)).status?.succeeded, 1)
      assert.deepStrictEqual(
        (yield* calls).map(({ verb }) => verb),
        ["create"]
      )
    })
  )

  fact("get no pod in a terminating namespace, and are removed with it", () =>
    Effect.gen(function* () {
      const { behind, node } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* node.run(() => Effect.never)
      yield* api.create(jobs, job())
      yield* settled
      yield* behind.remove(namespaces, { name: "team" })
      yield* pass("1 hour")
      assert.deepStrictEqual((yield* behind.list(jobs, {})).items, [])
      assert.deepStrictEqual(yield* podsNow, [])
    })
  )
})

describe("Indexed Jobs in memory", () => {
  const indexed = (spec: NonNullable<Job["spec"]> = {}) =>
    job({ completionMode: "Indexed", completions: 3, parallelism: 3, ...spec })
  const indexOf = ({ metadata }: Pod) => metadata.annotations?.["batch.kubernetes.io/job-completion-index"]
  const seen = Effect.map(podsNow, (all) => all.map((pod) => `${indexOf(pod)} ${pod.status?.phase}`).toSorted())

  fact(
    "run a pod for each index at the same time, which can read its index, and are complete when all have succeeded",
    () =>
      Effect.gen(function* () {
        const { node } = yield* InMemoryKubernetes
        const api = yield* KubernetesApi
        yield* node.run((pod) => Effect.delay(Effect.succeed({ exitCode: 0 }), `${Number(indexOf(pod)) + 1} minutes`))
        yield* api.create(jobs, indexed())
        yield* settled
        assert.deepStrictEqual(yield* seen, ["0 Running", "1 Running", "2 Running"])
        assert.strictEqual((yield* jobNow).status?.active, 3)
        for (const pod of yield* podsNow) {
          assert.match(pod.metadata.name, /^hourly-[012]-[0-9a-r]{5}$/)
          assert.strictEqual(pod.metadata.labels?.["batch.kubernetes.io/job-completion-index"], indexOf(pod))
          const { containers } = pod.spec as { readonly containers: ReadonlyArray<{ readonly env: unknown }> }
          assert.deepStrictEqual(containers[0]?.env, [
            {
              name: "JOB_COMPLETION_INDEX",
              valueFrom: {
                fieldRef: {
                  apiVersion: "v1",
                  fieldPath: "metadata.annotations['batch.kubernetes.io/job-completion-index']"
                }
              }
            }
          ])
        }
        yield* pass("2 minutes")
        assert.deepInclude((yield* jobNow).status, { active: 1, succeeded: 2 })
        yield* pass("1 minute")
        assert.include(conditionsOf(yield* jobNow), "Complete CompletionsReached")
        assert.strictEqual((yield* jobNow).status?.succeeded, 3)
      })
  )

  fact("run no more pods at once than their parallelism", () =>
    Effect.gen(function* () {
      const { node } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* node.run(() => Effect.delay(Effect.succeed({ exitCode: 0 }), "1 minute"))
      yield* api.create(jobs, indexed({ parallelism: 2 }))
      yield* settled
      assert.deepStrictEqual(yield* seen, ["0 Running", "1 Running"])
      yield* pass("1 minute")
      assert.deepStrictEqual(yield* seen, ["0 Succeeded", "1 Succeeded", "2 Running"])
    })
  )

  fact("replace the failed pod of an index alone, until the limit of that index", () =>
    Effect.gen(function* () {
      const { node } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* node.run((pod) =>
        indexOf(pod) === "1" ? fails(1) : Effect.delay(Effect.succeed({ exitCode: 0 }), "1 hour")
      )
      yield* api.create(jobs, indexed({ backoffLimitPerIndex: 1, maxFailedIndexes: 0 }))
      yield* settled
      assert.deepStrictEqual(yield* seen, ["0 Running", "1 Failed", "2 Running"])
      yield* pass("10 seconds")
      assert.include(conditionsOf(yield* jobNow), "Failed MaxFailedIndexesExceeded")
      const stopped = (yield* podsNow).filter((pod) => indexOf(pod) !== "1")
      assert.isTrue(
        stopped.every(({ metadata, status }) => metadata.deletionTimestamp !== undefined || status?.phase === "Failed")
      )
    })
  )

  fact("let the other indexes end where failed ones are allowed, and fail then", () =>
    Effect.gen(function* () {
      const { node } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* node.run((pod) =>
        indexOf(pod) === "1" ? fails(1) : Effect.delay(Effect.succeed({ exitCode: 0 }), "1 minute")
      )
      yield* api.create(jobs, indexed({ backoffLimitPerIndex: 0 }))
      yield* pass("30 seconds")
      assert.deepStrictEqual(yield* seen, ["0 Running", "1 Failed", "2 Running"])
      yield* pass("30 seconds")
      assert.include(conditionsOf(yield* jobNow), "Failed FailedIndexes")
    })
  )

  fact("fail beyond backoffLimit, which counts the pods of all indexes", () =>
    Effect.gen(function* () {
      const { node } = yield* InMemoryKubernetes
      const api = yield* KubernetesApi
      yield* node.run(() => fails(1))
      yield* api.create(jobs, indexed({ backoffLimit: 2 }))
      yield* settled
      assert.include(conditionsOf(yield* jobNow), "Failed BackoffLimitExceeded")
    })
  )
})
