import { assert, describe, it } from "@effect/vitest"
import * as Kube from "../../../src/kubernetes/KubernetesError.ts"
import * as Refusal from "../../../src/operator/jobs/Refusal.ts"

const forbidden = (detail: string, flags: { isNamespaceTerminating?: boolean; isQuota?: boolean } = {}) =>
  new Kube.Forbidden({ detail, isNamespaceTerminating: false, isQuota: false, ...flags })

describe("Refusal.refusal", () => {
  it.each([
    ["NamespaceTerminating", forbidden("namespace y is being terminated", { isNamespaceTerminating: true })],
    ["QuotaExceeded", forbidden("exceeded quota: jobs, requested: count/jobs.batch=1", { isQuota: true })],
    [
      "OperatorNotAllowed",
      forbidden('jobs.batch is forbidden: User "system:serviceaccount:a:b" cannot create resource "jobs"')
    ],
    [
      "OperatorNotAllowed",
      forbidden("cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on")
    ],
    ["AdmissionRefused", forbidden('admission webhook "policy.example" denied the request: no team label')],
    ["AdmissionRefused", new Kube.Invalid({ detail: 'admission webhook "policy.example" denied the request: no' })],
    ["JobInvalid", new Kube.Invalid({ detail: "spec.template.spec.tolerations[0].key: Invalid value" })],
    ["NamespaceMissing", new Kube.NotFound({ detail: 'namespaces "y" not found', isKindMissing: false })],
    ["JobNameTaken", new Kube.AlreadyExists({ detail: 'jobs.batch "x" already exists' })],
    ["OperatorNotAllowed", new Kube.Unauthorized({ detail: "Unauthorized" })],
    ["JobCreateFailed", forbidden("something that nobody foresaw")],
    ["JobCreateFailed", new Kube.Throttled({ detail: "too many requests" })],
    ["JobCreateFailed", new Kube.Unavailable({ detail: "connection refused" })],
    ["JobCreateFailed", new Kube.Conflict({ detail: "changed" })],
    ["JobCreateFailed", new Kube.Gone({ detail: "too old" })]
  ])("is %s, in the server's words and with what to do", (expected, reason) => {
    const error = new Kube.KubernetesError({ request: "create jobs y/x", reason })
    const refusal = Refusal.refusal(error)
    assert.strictEqual(refusal.reason, expected)
    assert.include(refusal.message, `the Job cannot be created: ${reason.detail}; `)
  })

  it("keeps the words to one line of a bearable length", () => {
    const error = new Kube.KubernetesError({
      request: "create jobs y/x",
      reason: new Kube.Invalid({ detail: `a\nb ${"c".repeat(5000)}` })
    })
    const { message } = Refusal.refusal(error)
    assert.notInclude(message, "\n")
    assert.isBelow(message.length, 700)
    assert.include(message, "c…; ")
  })
})
