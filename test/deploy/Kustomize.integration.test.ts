import { assert, beforeAll, describe, it } from "@effect/vitest"
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Kubectl from "../harness/Kubectl.ts"
import { describeWith } from "../harness/services.ts"
import { type Json, objectsOf, one, parseAll, root } from "./manifests.ts"

const overlays = ["cluster-wide", "single-namespace"] as const

const nameOf = ({ kind, metadata }: Json) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`

const environment = (objects: ReadonlyArray<Json>): Readonly<Record<string, string>> => {
  const [container] = one(objects, "Deployment")["spec"].template.spec.containers as ReadonlyArray<Json>
  return Object.fromEntries((container!["env"] as ReadonlyArray<Json>).map(({ name, value }) => [name, value]))
}

describeWith("apiserver", "the installation", ({ apiserver }) => {
  const render = async (folder: string) => parseAll(await Kubectl.succeed(apiserver, ["kustomize", folder]))
  beforeAll(async () => {
    // Dry runs need the namespace of their objects. An existing one stays as it is.
    for (const name of ["kafka-backup-system", "kafka-backup"]) {
      const metadata = { name, labels: { "kafka.oso.sh/made-for-tests": "true" } }
      const namespace = JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata })
      const { code, stderr } = await Kubectl.run(apiserver, ["create", "-f", "-"], namespace)
      assert.isTrue(code === 0 || stderr.includes("AlreadyExists"), stderr)
    }
  })

  describe.each(overlays)("%s", (overlay) => {
    const folder = join(root, "deploy/overlays", overlay)

    it("renders, with both CustomResourceDefinitions, and every object once", async () => {
      const objects = await render(folder)
      const names = objects.map(nameOf)
      assert.strictEqual(new Set(names).size, names.length)
      assert.include(names, "CustomResourceDefinition /kafkabackups.kafka.oso.sh")
      assert.include(names, "CustomResourceDefinition /kafkarestores.kafka.oso.sh")
      assert.include(names, "Deployment kafka-backup-system/kafka-backup-operator")
      assert.strictEqual(objects.filter(({ kind }) => kind.endsWith("RoleBinding")).length, 2)
      const policies = ["finalizer", "new-jobs", "own-jobs"].map((name) => `kafka-backup-operator-${name}`)
      for (const kind of ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"]) {
        assert.sameMembers(
          objects.filter((object) => object["kind"] === kind).map(({ metadata }) => metadata.name),
          policies
        )
      }
    })

    it("is accepted by the API server, object by object, without a warning", async () => {
      const { code, stderr, stdout } = await Kubectl.run(apiserver, [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--dry-run=server",
        "--validate=strict",
        "-k",
        folder
      ])
      assert.strictEqual(code, 0, stderr)
      assert.strictEqual(stderr, "")
      assert.strictEqual(stdout.trim().split("\n").length, (await render(folder)).length)
    })
  })

  it("has rights of the whole cluster in the variant for it only", async () => {
    const rightsOf = async (overlay: string) =>
      (await render(join(root, "deploy/overlays", overlay))).filter(({ kind }) => /Role/.test(kind)).map(nameOf)
    const users = ["commands", "edit", "view"].map((role) => `ClusterRole /kafka-backup-${role}`)
    const election = ["Role kafka-backup-system/kafka-backup-operator-election"]
    assert.sameMembers(await rightsOf("cluster-wide"), [
      ...users,
      ...election,
      "RoleBinding kafka-backup-system/kafka-backup-operator-election",
      "ClusterRole /kafka-backup-operator",
      "ClusterRoleBinding /kafka-backup-operator"
    ])
    assert.sameMembers(await rightsOf("single-namespace"), [
      ...users,
      ...election,
      "RoleBinding kafka-backup-system/kafka-backup-operator-election",
      "Role kafka-backup/kafka-backup-operator",
      "RoleBinding kafka-backup/kafka-backup-operator"
    ])
  })

  it("has rights in each of several namespaces, and nowhere else", async () => {
    const objects = await render(join(root, "deploy/overlays/several-namespaces"))
    assert.sameMembers(objects.filter(({ kind }) => kind.endsWith("Binding")).map(nameOf), [
      "RoleBinding kafka-backup-system/kafka-backup-operator-election",
      "RoleBinding orders/kafka-backup-operator",
      "RoleBinding billing/kafka-backup-operator",
      ...["finalizer", "new-jobs", "own-jobs"].map(
        (name) => `ValidatingAdmissionPolicyBinding /kafka-backup-operator-${name}`
      )
    ])
    const [{ args }] = one(objects, "Deployment")["spec"].template.spec.containers
    assert.includeMembers(args, ["--watch-namespace=orders", "--watch-namespace=billing"])
  })

  it.each([
    [
      "cluster-wide",
      "strimzi",
      "ClusterRole /kafka-backup-operator-strimzi",
      "ClusterRoleBinding /kafka-backup-operator-strimzi"
    ],
    [
      "single-namespace",
      "strimzi-single-namespace",
      "Role kafka-backup/kafka-backup-operator-strimzi",
      "RoleBinding kafka-backup/kafka-backup-operator-strimzi"
    ]
  ] as const)(
    "of %s reads Strimzi's resources with %s, which adds the flag and the right, and nothing else",
    async (overlay, component, ...rights) => {
      const scratch = mkdtempSync(join(root, "test/deploy/strimzi-"))
      try {
        const kustomization = {
          apiVersion: "kustomize.config.k8s.io/v1beta1",
          kind: "Kustomization",
          resources: [`../../../deploy/overlays/${overlay}`],
          components: [`../../../deploy/components/${component}`]
        }
        writeFileSync(join(scratch, "kustomization.yaml"), JSON.stringify(kustomization))
        const without = await render(join(root, "deploy/overlays", overlay))
        const objects = await render(scratch)
        const added = objects.map(nameOf).filter((name) => !without.map(nameOf).includes(name))
        assert.sameMembers(added, [...rights])
        const args = (all: ReadonlyArray<Json>) => one(all, "Deployment")["spec"].template.spec.containers[0].args
        assert.deepStrictEqual(args(objects), [...args(without), "--strimzi"])
      } finally {
        rmSync(scratch, { recursive: true })
      }
    }
  )

  it("gives the operator the namespace of its Role", async () => {
    const objects = await render(join(root, "deploy/overlays/single-namespace"))
    assert.strictEqual(environment(objects)["WATCHED_NAMESPACE"], "kafka-backup")
  })

  it("changes the Jobs' image together with the operator's for another registry", async () => {
    const objects = await render(join(root, "deploy/overlays/own-image"))
    const [container] = one(objects, "Deployment")["spec"].template.spec.containers as ReadonlyArray<Json>
    assert.strictEqual(container!["image"], "registry.example.com/kafka-backup:0.1.0")
    assert.strictEqual(environment(objects)["IMAGE_OF_JOBS"], "registry.example.com/kafka-backup:0.1.0")
    const policy = one(objects, "ValidatingAdmissionPolicy", "kafka-backup-operator-new-jobs")
    assert.deepStrictEqual(
      policy["spec"].variables.find(({ name }: Json) => name === "image").expression,
      "'registry.example.com/kafka-backup:0.1.0'"
    )
  })

  it("renders the monitors, the alerts and the dashboard into the operator's namespace", async () => {
    const objects = await render(join(root, "deploy/monitoring"))
    assert.sameMembers(objects.map(nameOf), [
      "ServiceMonitor kafka-backup-system/kafka-backup-operator",
      "PodMonitor kafka-backup-system/kafka-backup-runs",
      "PrometheusRule kafka-backup-system/kafka-backup-operator",
      "ConfigMap kafka-backup-system/kafka-backup-dashboard"
    ])
    const { data, metadata } = one(objects, "ConfigMap")
    assert.strictEqual(metadata.labels.grafana_dashboard, "1")
    assert.strictEqual(data["kafka-backup.json"], readFileSync(join(root, "deploy/monitoring/dashboard.json"), "utf8"))
  })

  it("adds health and actions to Argo CD's own settings, and leaves those as they are", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kafka-backup-argocd-"))
    try {
      cpSync(join(root, "deploy/argocd"), join(folder, "component"), { recursive: true })
      const kustomization = { resources: ["argocd-cm.yaml"], components: ["component"] }
      writeFileSync(join(folder, "kustomization.yaml"), JSON.stringify(kustomization))
      for (const place of [{}, { namespace: "argocd" }]) {
        const metadata = { name: "argocd-cm", ...place }
        const own = { apiVersion: "v1", kind: "ConfigMap", metadata, data: { url: "https://argocd.example.com" } }
        writeFileSync(join(folder, "argocd-cm.yaml"), JSON.stringify(own))
        const found = one(await render(folder), "ConfigMap", "argocd-cm")
        assert.deepStrictEqual(found["metadata"], metadata)
        assert.strictEqual(found["data"].url, "https://argocd.example.com")
        assert.lengthOf(Object.keys(found["data"]), 9)
        assert.deepInclude(found["data"], one(objectsOf("argocd/argocd-cm.yaml"), "ConfigMap")["data"])
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
