import { assert, describe, it } from "@effect/vitest"
import type { Event, Job, Pod } from "../../../src/kubernetes/Objects.ts"
import * as PodTrouble from "../../../src/operator/jobs/PodTrouble.ts"
import { ended, event, failure, job, pod, said } from "./fixtures.ts"

const at = (time: string) => Date.parse(`2026-11-24T${time}Z`)
const of = (
  pods: ReadonlyArray<Pod>,
  time = "07:00:40",
  events: ReadonlyArray<Event> = [],
  status: NonNullable<Job["status"]> = {}
) => PodTrouble.of(job(status), pods, events, at(time))

const started = "2026-11-24T07:00:05Z"
const scheduled = { phase: "Pending", startTime: started, conditions: [{ type: "PodScheduled", status: "True" }] }
const waiting = (reason: string, message?: string) =>
  pod(0, {
    ...scheduled,
    containerStatuses: [
      { name: "backup", state: { waiting: message === undefined ? { reason } : { reason, message } } }
    ]
  })
const running = (n = 0) =>
  pod(n, { phase: "Running", startTime: started, containerStatuses: [{ name: "backup", state: { running: {} } }] })

describe("a Job without a pod", () => {
  const about = { kind: "Job", name: job().metadata.name, uid: "job-uid" }

  it("is given half a minute", () => {
    assert.isUndefined(of([], "07:00:31"))
    assert.strictEqual(of([], "07:00:32")?.reason, "PodNotCreated")
  })

  it.each([
    [
      'pods "x" is forbidden: exceeded quota: compute, requested: limits.memory=2Gi, used: limits.memory=3Gi, limited: limits.memory=4Gi',
      "QuotaExceeded",
      "ResourceQuota"
    ],
    [
      'pods "x" is forbidden: failed quota: compute: must specify limits.cpu for: backup',
      "QuotaNeedsResources",
      "spec.resources"
    ],
    [
      'pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
      "PodSecurityViolated",
      "restricted"
    ],
    [
      'pods "x" is forbidden: unable to validate against any security context constraint: [provider restricted-v2: .spec.securityContext.fsGroup: Invalid value: []int64{65532}]',
      "PodSecurityViolated",
      "assigned"
    ],
    [
      'pods "x" is forbidden: error looking up service account kafka-backup/backup: serviceaccount "backup" not found',
      "ServiceAccountMissing",
      "serviceAccountName"
    ],
    ['pods "x" is forbidden: no PriorityClass with name low was found', "PriorityClassMissing", "priorityClassName"],
    [
      'pods "x" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi',
      "LimitRangeViolated",
      "spec.resources"
    ],
    ['admission webhook "policy.example" denied the request: no team label', "AdmissionRefused", "policy"],
    [
      'pods "x" is forbidden: unable to create new content in namespace y because it is being terminated',
      "NamespaceTerminating",
      "deleted"
    ],
    ["etcdserver: request timed out", "PodNotCreated", "tries again"]
  ])("quotes what the server said: %s", (note, reason, advice) => {
    const trouble = of([], "07:05:00", [event(about, "FailedCreate", note)])
    assert.strictEqual(trouble?.reason, reason)
    assert.include(trouble?.message, note)
    assert.include(trouble?.message.split(note)[1], advice)
  })

  it("is described by its own newest Event", () => {
    const events = [
      event(about, "FailedCreate", "older", "07:01:00"),
      event(about, "FailedCreate", "newest", "07:03:00"),
      event({ ...about, uid: "another" }, "FailedCreate", "of a namesake", "07:04:00"),
      event({ ...about, namespace: "another" }, "FailedCreate", "of another namespace", "07:04:00"),
      event({ ...about, name: "another" }, "FailedCreate", "of another Job", "07:04:00"),
      event(about, "SuccessfulCreate", "no trouble", "07:04:00")
    ]
    assert.include(of([], "07:05:00", events)?.message, ": newest; ")
  })
})

describe("a pod that does not start", () => {
  it("is unschedulable in the scheduler's words", () => {
    const condition = { type: "PodScheduled", status: "False", reason: "Unschedulable" }
    const none = "0/3 nodes are available: 3 Insufficient memory. preemption: 0/3 nodes are available"
    const trouble = of([pod(0, { phase: "Pending", conditions: [{ ...condition, message: none }] })])
    assert.strictEqual(trouble?.reason, "PodUnschedulable")
    assert.include(trouble?.message, `${none}; lower spec.resources.requests`)
    const claim = `0/3 nodes are available: persistentvolumeclaim "backup-storage" not found`
    const volume = of([pod(0, { phase: "Pending", conditions: [{ ...condition, message: claim }] })])
    assert.strictEqual(volume?.reason, "VolumeClaimUnusable")
    // What else may stand where the words should be.
    const garbage: any = { toString: "no function" }
    const odd = of([pod(0, { phase: "Pending", conditions: [{ ...condition, message: garbage }] })])
    assert.strictEqual(odd?.reason, "PodUnschedulable")
    assert.include(volume?.message, "spec.storage.pvc")
  })

  it.each(["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"])(
    "cannot get its image: %s",
    (reason) => {
      const trouble = of([waiting(reason, 'Back-off pulling image "registry.example/kafka-backup:1.2.3"')])
      assert.strictEqual(trouble?.reason, "ImagePullFailed")
      assert.match(trouble?.message ?? "", /registry\.example.*Back-off pulling.*imagePullSecrets/)
      assert.include(trouble?.message, reason)
    }
  )

  it.each(["CreateContainerConfigError", "CreateContainerError"])("cannot start its container: %s", (reason) => {
    const trouble = of([waiting(reason, "container has runAsNonRoot and image will run as root")])
    assert.strictEqual(trouble?.reason, "ContainerCannotStart")
    assert.include(trouble?.message, "image will run as root; correct")
  })

  it("is given two minutes for volumes and image, then says what it waits for", () => {
    const pending = waiting("ContainerCreating")
    assert.isUndefined(of([pending], "07:02:04"))
    assert.strictEqual(of([pending], "07:02:05")?.reason, "PodNotStarting")
    assert.strictEqual(of([pod(0, scheduled)], "07:02:05")?.reason, "PodNotStarting")
    const about = { kind: "Pod", name: "pod-0", uid: "pod-uid-0" }
    const mount = event(about, "FailedMount", 'MountVolume.SetUp failed for volume "pvc-1": rpc error')
    const trouble = of([pending], "07:02:05", [mount])
    assert.strictEqual(trouble?.reason, "VolumeMountFailed")
    assert.match(trouble?.message ?? "", /since \S+Z: MountVolume\.SetUp failed.*spec\.storage\.pvc/)
    const sandbox = event(about, "FailedCreatePodSandBox", "no address is free")
    assert.include(of([pending], "07:02:05", [sandbox])?.message, "no address is free")
  })
})

describe("a pod that runs", () => {
  it("is no trouble", () => {
    assert.isUndefined(of([running()], "09:00:00"))
    assert.isUndefined(of([pod(0, scheduled)]))
    assert.isUndefined(of([ended(0, { exitCode: 0 })], "09:00:00"))
  })

  it("is kept running by a container that others put there", () => {
    const injected = pod(0, {
      phase: "Running",
      containerStatuses: [
        { name: "backup", state: { terminated: { exitCode: 0 } } },
        { name: "istio-proxy", state: { running: {} } }
      ]
    })
    const trouble = of([injected])
    assert.strictEqual(trouble?.reason, "SidecarStillRunning")
    assert.match(trouble?.message ?? "", /istio-proxy.*sidecar\.istio\.io\/inject/)
  })

  it("follows one that failed: which attempt it is, and why", () => {
    const refused = ended(0, { exitCode: 20, message: said({ ...failure, exitCode: 20, reason: "StoreUnavailable" }) })
    const second = of([refused, running(1)], "07:05:00", [], { failed: 1 })
    assert.strictEqual(second?.reason, "Retrying")
    assert.match(second?.message ?? "", /^attempt 2 of 4 after StoreUnavailable: kafka-0\S+ refused user backup; check/)
    const killed = ended(1, { exitCode: 137, reason: "OOMKilled" })
    assert.match(of([refused, killed], "07:05:00", [], { failed: 2 })?.message ?? "", /^attempt 3 of 4 after OOMKilled/)
  })

  it("follows one that was stopped, without advice for those who type commands", () => {
    const stopped = {
      ...failure,
      outcome: "interrupted" as const,
      exitCode: 21,
      reason: "Interrupted",
      message: "stopped"
    }
    const told = { ...stopped, advice: "repeat the run with --slot" }
    const second = of([ended(0, { exitCode: 21, message: said(told) }), running(1)], "07:05:00", [], { failed: 1 })
    assert.strictEqual(second?.message, "attempt 2 of 4 after Interrupted: stopped")
  })

  it("follows one that was disrupted, which costs no attempt", () => {
    const drained = ended(
      0,
      { exitCode: 21, message: said({ ...failure, outcome: "interrupted", exitCode: 21 }) },
      { conditions: [{ type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI", message: "drain" }] }
    )
    const trouble = of([drained, running(1)], "07:05:00")
    assert.strictEqual(trouble?.reason, "Disrupted")
    assert.match(trouble?.message ?? "", /EvictionByEvictionAPI\): drain; nothing needs to be done/)
  })

  it("has nothing to say once it succeeded, whatever was before", () =>
    assert.isUndefined(of([ended(0, { exitCode: 20 }), ended(1, { exitCode: 0 })], "07:05:00", [], { failed: 1 })))
})

it("a Job that is being deleted says so", () => {
  const { metadata, ...rest } = job()
  const deleted = { ...rest, metadata: { ...metadata, deletionTimestamp: "2026-11-24T07:01:00Z" } }
  assert.strictEqual(PodTrouble.of(deleted, [running()], [], at("07:01:00"))?.reason, "JobBeingDeleted")
})
