import { assert, describe, it } from "vitest"
import * as Labels from "../../../src/operator/Labels.ts"
import { backup, jobOf } from "./fixtures.ts"

const digest = (...given: Parameters<typeof jobOf>): string =>
  jobOf(...given).metadata.annotations[Labels.podAnnotation]

const before = digest(backup())

describe("the digest of what a Job's pods are made from", () => {
  it("is equal for equal inputs, and does not go into the pods", () => {
    assert.strictEqual(digest(backup()), before)
    assert.match(before, /^[0-9a-f]{16}$/)
    assert.notProperty(jobOf(backup()).spec.template.metadata.annotations, Labels.podAnnotation)
  })

  it.each([
    ["storage.pvc.claimName", "another"],
    ["storage.s3.bucket", "another"],
    ["podTemplate.nodeSelector", { pool: "another" }],
    ["podTemplate.serviceAccountName", "another"],
    ["podTemplate.tolerations", []],
    ["resources.requests.memory", "1Gi"],
    ["topics", ["another"]],
    ["retention.backups", 1],
    ["job.activeDeadlineSeconds", 60],
    ["job.backoffLimit", 0]
  ] as const)("differs after an edit of %s", (path, value) => {
    assert.notStrictEqual(digest(backup([path, value])), before)
  })

  it.each([
    ["schedule", "1 1 1 1 1"],
    ["timeZone", "Europe/Paris"],
    ["suspend", true],
    ["startingDeadlineSeconds", 7],
    ["deletionPolicy", "Delete"],
    ["job.startDeadlineSeconds", 7000],
    ["job.ttlSecondsAfterFinished", 7]
  ] as const)("stays the same after an edit of %s, which no pod reads", (path, value) => {
    const edited = backup([path, value])
    assert.notDeepEqual(edited.spec, backup().spec)
    assert.strictEqual(digest(edited), before)
  })

  it("differs once there is no schedule, because the pod then waits for its Secrets", () => {
    assert.notStrictEqual(
      digest(backup(["schedule", undefined], ["timeZone", undefined], ["startingDeadlineSeconds", undefined])),
      before
    )
  })

  it("differs when the operator's own options give another pod", () => {
    assert.notStrictEqual(digest(backup(), { image: "another:1" }), before)
    assert.notStrictEqual(digest(backup(), { user: "assigned" }), before)
    assert.notStrictEqual(digest(backup(), { variables: { HTTPS_PROXY: "http://proxy:3128" } }), before)
  })
})
