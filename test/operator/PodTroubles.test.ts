import { describe, expect } from "@effect/vitest"
import { Effect, Result } from "effect"
import * as Kind from "../../src/kubernetes/Kind.ts"
import { condition, hourly, metric, outcomes, purposeOf, runsAmong, setsIn, story, world } from "./world.ts"

const started = (spec: Readonly<Record<string, unknown>> = {}) =>
  Effect.gen(function* () {
    const all = yield* world
    const replica = yield* all.start()
    yield* all.kubectl.apply(hourly("hourly", spec))
    return { ...all, replica }
  })

describe("a pod in trouble", () => {
  for (const [what, trouble, reason] of [
    [
      "that no node takes",
      { _tag: "Unschedulable", message: "0/3 nodes are available: insufficient memory" },
      "PodUnschedulable"
    ],
    [
      "whose image cannot be pulled",
      { _tag: "Waiting", reason: "ImagePullBackOff", message: 'Back-off pulling image "x"' },
      "ImagePullFailed"
    ],
    [
      "whose container cannot be made",
      { _tag: "Waiting", reason: "CreateContainerConfigError", message: "no such thing" },
      "ContainerCannotStart"
    ]
  ] as const) {
    story(
      `${what} is reported in the server's words while it lasts, and its run continues by itself after`,
      Effect.gen(function* () {
        const { advance, kubectl, kubernetes } = yield* started()
        yield* kubernetes.node.trouble(() => trouble)
        yield* advance("18 minutes")
        const status = yield* kubectl.status("hourly")
        expect(status.phase).toBe("Running")
        expect(condition(status, "Progressing")).toMatchObject({ status: "True", reason: "PodTrouble" })
        expect(condition(status, "Ready")).toMatchObject({ status: "False", reason: "PodTrouble" })
        expect(condition(status, "Progressing")?.message).toContain(reason)
        expect(condition(status, "Progressing")?.message).toContain(trouble.message)
        expect(condition(status, "Ready")?.message).toContain(
          "A correction of the spec takes effect at once, for this run too. If its container does not start, the run fails at 2026-11-25T12:10:00Z. The next slot is at 2026-11-25T13:00:00Z."
        )
        expect((yield* kubectl.events).filter((event) => event.reason === "PodTrouble")).toHaveLength(1)
        yield* kubernetes.node.trouble()
        yield* advance("5 minutes")
        const cured = yield* kubectl.status("hourly")
        expect(outcomes(cured)).toEqual(["success"])
        expect(condition(cured, "Ready")?.status).toBe("True")
      })
    )
  }

  story(
    "that cannot even be created is explained by the Job controller's own words",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes } = yield* started()
      yield* kubernetes.admit(Kind.pods, () => Result.fail("exceeded quota: pods, requested: pods=1, limited: pods=0"))
      yield* advance("605 seconds")
      const [job] = runsAmong(yield* kubectl.jobs)
      yield* kubernetes.behind.create(Kind.events, {
        apiVersion: "events.k8s.io/v1",
        kind: "Event",
        metadata: { name: "job.1", namespace: "kafka-backup" },
        eventTime: "2026-11-25T12:00:01.000000Z",
        type: "Warning",
        reason: "FailedCreate",
        note: 'Error creating: pods "x" is forbidden: exceeded quota: pods, requested: pods=1, limited: pods=0',
        regarding: {
          apiVersion: "batch/v1",
          kind: "Job",
          namespace: "kafka-backup",
          name: job?.metadata.name ?? "",
          uid: job?.metadata.uid ?? ""
        }
      })
      yield* advance("1 minute")
      const progressing = condition(yield* kubectl.status("hourly"), "Progressing")
      expect(progressing).toMatchObject({ status: "True", reason: "PodTrouble" })
      expect(progressing?.message).toContain("exceeded quota: pods")
    })
  )

  story(
    "that is evicted is made up for by another one, whose set is whole",
    Effect.gen(function* () {
      const { advance, backups, kubectl, kubernetes } = yield* started({
        rateLimit: { recordsPerSecond: 2 },
        incremental: { enabled: false },
        checkpointIntervalSecs: 5,
        job: { backoffLimit: 0 }
      })
      yield* advance("620 seconds")
      const [pod] = yield* kubectl.pods
      yield* kubernetes.node.evict(pod!.metadata)
      yield* advance("5 minutes")
      expect(runsAmong(yield* kubectl.pods)).toHaveLength(2)
      const status = yield* kubectl.status("hourly")
      expect(outcomes(status)).toEqual(["success"])
      expect(status.lastBackupRecords).toBe(100)
      expect(setsIn(yield* backups.keys)).toEqual(["hourly-20261125-120000"])
    })
  )

  story(
    "that needs more memory than it may have fails the run with that word, when its attempts are used up",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, replica } = yield* started({
        job: { backoffLimit: 1 },
        resources: { limits: { memory: "256Mi" } }
      })
      yield* kubernetes.node.run(() => Effect.succeed({ exitCode: 137, reason: "OOMKilled" }))
      yield* advance("20 minutes")
      const status = yield* kubectl.status("hourly")
      expect(status.backupHistory?.[0]).toMatchObject({ outcome: "failed", reason: "OOMKilled" })
      expect(status.backupHistory?.[0]?.message).toContain("256Mi")
      expect(runsAmong(yield* kubectl.pods)).toHaveLength(2)
      expect(metric(yield* replica.metrics, "run_failures_total", 'name="hourly"', 'reason="OOMKilled"')).toBe(1)
    })
  )

  story(
    "that ends well without a word is no success",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes } = yield* started()
      yield* kubernetes.node.run(() => Effect.succeed({ exitCode: 0, message: "all good" }))
      yield* advance("15 minutes")
      const status = yield* kubectl.status("hourly")
      expect(status.backupHistory?.[0]).toMatchObject({ outcome: "failed", reason: "ResultMissing" })
      expect(status.lastBackupId).toBeUndefined()
    })
  )
})

describe("a Job deleted by hand", () => {
  story(
    "during its run is an interrupted run, and storage is read for what came of it",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes } = yield* started({
        rateLimit: { recordsPerSecond: 1 },
        incremental: { enabled: false }
      })
      yield* advance("620 seconds")
      const [job] = runsAmong(yield* kubectl.jobs)
      yield* kubernetes.behind.remove(Kind.jobs, job!.metadata)
      yield* advance("3 minutes")
      const status = yield* kubectl.status("hourly")
      expect(status.phase).toBe("Failed")
      expect(status.backupHistory?.[0]).toMatchObject({ outcome: "interrupted", reason: "JobDeleted" })
      expect(condition(status, "Ready")).toMatchObject({ status: "False", reason: "BackupInterrupted" })
      expect((yield* kubectl.jobs).map(purposeOf).filter((one) => one !== "check")).toEqual(["catalogue"])
      expect((yield* kubectl.events).filter(({ reason }) => reason === "BackupInterrupted")).toHaveLength(1)
      yield* advance("1 hour")
      expect(outcomes(yield* kubectl.status("hourly"))).toEqual(["success", "interrupted"])
    })
  )

  story(
    "while no operator watched, after it had made its backup, leaves a success in the history",
    Effect.gen(function* () {
      const { advance, backups, kubectl, kubernetes, replica, start } = yield* started({
        rateLimit: { recordsPerSecond: 2 },
        incremental: { enabled: false }
      })
      yield* advance("610 seconds")
      yield* replica.stop
      yield* advance("5 minutes")
      expect(setsIn(yield* backups.keys)).toHaveLength(1)
      for (const { metadata } of yield* kubectl.jobs) yield* kubernetes.behind.remove(Kind.jobs, metadata)
      yield* start()
      yield* advance("3 minutes")
      const status = yield* kubectl.status("hourly")
      expect(outcomes(status)).toEqual(["success"])
      expect(status.phase).toBe("Completed")
      expect(status.lastBackupId).toBe("hourly-20261125-120000")
      expect(runsAmong(yield* kubectl.jobs)).toEqual([])
    })
  )
})
