import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import {
  electionRights,
  type Json,
  lines,
  objectsOf,
  one,
  operatorRights,
  root,
  type Rule
} from "../deploy/manifests.ts"
import { movedRights } from "../deploy/movedRights.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import { describeWith } from "../harness/services.ts"

/*
 * The rights of deploy/, as a real API server grants them. Names are changed so that neither variant lends the other
 * its rights, and so that an installation in the same cluster stays as it is.
 */

const watched = "rbac-test-watched"
const elsewhere = "rbac-test-elsewhere"

const variants = [
  { overlay: "cluster-wide", own: "rbac-test-cluster", reaches: [watched, elsewhere] },
  { overlay: "single-namespace", own: "rbac-test-single", reaches: [watched] }
] as const

/** Everybody who is logged in may ask these about himself. */
const ofEverybody = /^(authorization|authentication)\.k8s\.io self\w+ create$/

/** A request that the authorizer is asked about. */
interface Question {
  readonly namespace?: string
  readonly group?: string
  readonly resource: string
  readonly subresource?: string
  readonly name?: string
  readonly verb: string
}

const questions = (rules: ReadonlyArray<Rule>, namespace: string): ReadonlyArray<Question> =>
  rules.flatMap(({ apiGroups = [], resourceNames = [undefined], resources = [], verbs }) =>
    resources.flatMap((path) => {
      const [resource = "", subresource] = path.split("/")
      return verbs.flatMap((verb) =>
        resourceNames.map((name) => ({
          namespace,
          group: apiGroups[0] ?? "",
          resource,
          verb,
          ...(subresource === undefined ? {} : { subresource }),
          ...(name === undefined ? {} : { name })
        }))
      )
    })
  )

const anything = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]

/** What would let a stolen token of the operator do harm. */
const harm = (namespace: string): ReadonlyArray<Question> => [
  ...anything.flatMap((verb) => [
    { namespace, resource: "secrets", verb },
    { namespace, resource: "configmaps", verb },
    { namespace, resource: "serviceaccounts", verb },
    { namespace, group: "rbac.authorization.k8s.io", resource: "rolebindings", verb },
    { resource: "nodes", verb },
    { resource: "namespaces", verb }
  ]),
  ...["create", "update", "patch", "delete", "deletecollection"].map((verb) => ({ namespace, resource: "pods", verb })),
  ...["exec", "attach", "portforward", "ephemeralcontainers", "proxy", "log"].flatMap((subresource) =>
    ["get", "create", "update", "patch"].map((verb) => ({ namespace, resource: "pods", subresource, verb }))
  ),
  { namespace, resource: "serviceaccounts", subresource: "token", verb: "create" },
  { namespace, group: "batch", resource: "jobs", verb: "deletecollection" },
  ...["create", "update", "delete", "deletecollection"].flatMap((verb) =>
    ["kafkabackups", "kafkarestores", "kafkaoffsetresets", "kafkaoffsetrollbacks"].map((resource) => ({
      namespace,
      group: "kafka.oso.sh",
      resource,
      verb
    }))
  ),
  // It sets no finalizer on a restore.
  { namespace, group: "kafka.oso.sh", resource: "kafkarestores", verb: "patch" },
  { resource: "users", verb: "impersonate" },
  { group: "rbac.authorization.k8s.io", resource: "clusterroles", verb: "bind" },
  { group: "rbac.authorization.k8s.io", resource: "clusterroles", verb: "escalate" }
]

describeWith("apiserver", "the operator's rights on an API server", ({ apiserver }) => {
  let api: Kubectl.Proxy

  const rights = ({ overlay, own }: (typeof variants)[number]) =>
    movedRights(apiserver, { overlay, own, watched, image: "example.com/backup:1" })

  const apply = (objects: ReadonlyArray<Json>) =>
    Kubectl.succeed(
      apiserver,
      ["apply", "--server-side", "--force-conflicts", "-f", "-"],
      JSON.stringify({ apiVersion: "v1", kind: "List", items: objects })
    )

  const post = async (path: string, body: unknown, user?: string): Promise<Json> => {
    const response = await fetch(`${api.address}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(user === undefined ? {} : { "impersonate-user": user }) },
      body: JSON.stringify(body)
    })
    const answer = (await response.json()) as Json
    assert.strictEqual(response.status, 201, JSON.stringify(answer))
    return answer
  }

  const accountOf = (own: string) => `system:serviceaccount:${own}:kafka-backup-operator`

  const isAllowed = async (own: string, resourceAttributes: Question): Promise<boolean> => {
    const review = await post("/apis/authorization.k8s.io/v1/subjectaccessreviews", {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: {
        user: accountOf(own),
        groups: ["system:serviceaccounts", `system:serviceaccounts:${own}`, "system:authenticated"],
        resourceAttributes
      }
    })
    return review["status"].allowed
  }

  /** Of these requests, those that get the other answer. */
  const exceptions = async (own: string, wanted: boolean, asked: ReadonlyArray<Question>) => {
    const found: Array<Question> = []
    for (const question of asked) if ((await isAllowed(own, question)) !== wanted) found.push(question)
    return found
  }

  /** Everything that the account may do in a namespace, as the API server sums it up. */
  const everythingIn = async (own: string, namespace: string): Promise<ReadonlyArray<string>> => {
    const review = await post(
      "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
      { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectRulesReview", spec: { namespace } },
      accountOf(own)
    )
    assert.isFalse(review["status"].incomplete)
    return lines(review["status"].resourceRules as ReadonlyArray<Rule>).filter((line) => !ofEverybody.test(line))
  }

  beforeAll(async () => {
    const namespaces = [watched, elsewhere, ...variants.map(({ own }) => own)]
    await apply(namespaces.map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })))
    for (const variant of variants) await apply(await rights(variant))
    api = await Kubectl.proxy(apiserver)
    // The authorizer learns of a new binding by a watch, a moment later.
    const last = { namespace: watched, group: "batch", resource: "jobs", verb: "create" }
    for (const { own } of variants) {
      while (!(await isAllowed(own, last))) await new Promise((resolve) => setTimeout(resolve, 100))
    }
  })

  afterAll(async () => {
    if (api === undefined) return
    await api.stop()
    for (const variant of variants) {
      const items = JSON.stringify({ apiVersion: "v1", kind: "List", items: await rights(variant) })
      await Kubectl.run(apiserver, ["delete", "--ignore-not-found", "-f", "-"], items)
    }
  })

  describe.each(variants)("$overlay", ({ own, reaches }) => {
    it("allow every request that the operator makes", async () => {
      const asked = [
        ...reaches.flatMap((namespace) => questions(operatorRights, namespace)),
        ...questions(electionRights, own)
      ]
      assert.isAbove(asked.length, 23)
      assert.deepStrictEqual(await exceptions(own, true, asked), [])
    })

    it("allow nothing more in a watched namespace", async () => {
      for (const namespace of reaches) assert.deepStrictEqual(await everythingIn(own, namespace), lines(operatorRights))
    })

    it("allow no Secret, no shell, no token and no further right anywhere", async () => {
      for (const namespace of [watched, elsewhere, own, "kube-system"]) {
        assert.deepStrictEqual(await exceptions(own, false, harm(namespace)), [])
      }
    })

    it("allow its own Lease, and neither another one there nor one elsewhere", async () => {
      const lease = { group: "coordination.k8s.io", resource: "leases" }
      const other = ["get", "update"].map((verb) => ({ ...lease, namespace: own, name: "somebody-elses", verb }))
      const all = ["list", "watch", "patch", "delete", "deletecollection"].map((verb) => ({
        ...lease,
        namespace: own,
        verb
      }))
      const away = [watched, elsewhere, "kube-system", "kube-node-lease"].flatMap((namespace) =>
        anything.map((verb) => ({ ...lease, namespace, name: "kafka-backup-operator", verb }))
      )
      assert.deepStrictEqual(await exceptions(own, false, [...other, ...all, ...away]), [])
    })
  })

  it("end at the one namespace in the variant for one", async () => {
    const { own } = variants[1]
    assert.deepStrictEqual(await everythingIn(own, elsewhere), [])
    const across = operatorRights.flatMap(({ apiGroups = [], resources = [], verbs }) =>
      verbs.map((verb) => ({ group: apiGroups[0] ?? "", resource: resources[0]!.split("/")[0]!, verb }))
    )
    // Without a namespace the question is about all of them.
    assert.deepStrictEqual(await exceptions(own, false, across), [])
  })

  it("let a user who has kafka-backup-edit alone apply, change and delete both kinds with kubectl", async () => {
    const role = one(objectsOf("base/user-roles.yaml"), "ClusterRole", "kafka-backup-edit")
    const [name, user] = ["rbac-test-edit", "rbac-test-editor"]
    const binding = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { name, namespace: watched },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
      subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: user }]
    }
    // Not aggregated, and so nobody else's.
    await apply([{ ...role, metadata: { name } }, binding])
    for (const name of ["kafkabackup", "kafkarestore"]) {
      const file = `${root}crds/${name}.yaml`
      await Kubectl.succeed(apiserver, ["apply", "--server-side", "--force-conflicts", "-f", file])
    }
    const as = (...args: ReadonlyArray<string>) =>
      Kubectl.run(apiserver, [...args, `--namespace=${watched}`, `--as=${user}`])
    try {
      for (const name of ["01-simple.yaml", "restore-simple.yaml"]) {
        const sample = `${root}deploy/samples/${name}`
        let applied = await as("apply", "-f", sample)
        // The authorizer and discovery learn of new objects a moment later.
        for (let tries = 0; applied.code !== 0 && tries < 50; tries++) {
          await new Promise((resolve) => setTimeout(resolve, 200))
          applied = await as("apply", "-f", sample)
        }
        assert.strictEqual(applied.code, 0, applied.stderr)
        const again = await as("apply", "-f", sample)
        assert.strictEqual(again.code, 0, again.stderr)
        assert.strictEqual((await as("delete", "-f", sample, "--wait=false")).code, 0)
      }
      assert.notStrictEqual((await as("get", "secrets")).code, 0)
    } finally {
      for (const kind of ["rolebinding", "clusterrole"])
        await Kubectl.run(apiserver, ["delete", kind, name, `--namespace=${watched}`, "--ignore-not-found"])
    }
  })

  it("refuse the request itself, not only the question", async () => {
    const as = (own: string, ...args: ReadonlyArray<string>) =>
      Kubectl.run(apiserver, [...args, `--as=${accountOf(own)}`])
    const { own } = variants[1]
    const secrets = await as(own, "get", "secrets", `--namespace=${watched}`)
    assert.notStrictEqual(secrets.code, 0)
    assert.include(secrets.stderr, `cannot list resource "secrets"`)
    assert.strictEqual((await as(own, "get", "jobs", `--namespace=${watched}`)).code, 0)
    assert.notStrictEqual((await as(own, "get", "jobs", `--namespace=${elsewhere}`)).code, 0)
    assert.strictEqual((await as(variants[0].own, "get", "jobs", "--all-namespaces")).code, 0)
  })
})
