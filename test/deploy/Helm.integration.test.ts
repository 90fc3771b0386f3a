import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Helm from "../harness/Helm.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import { describeWith } from "../harness/services.ts"
import { chart, definitionsChart, effects, render, set } from "./chart.ts"
import { accepted, alternatives, refused } from "./chartValues.ts"
import { type Json, one, parseAll, root } from "./manifests.ts"

describeWith("apiserver", "the Helm chart", ({ apiserver }) => {
  const kustomized = async (folder: string) =>
    parseAll(await Kubectl.succeed(apiserver, ["kustomize", join(root, "deploy", folder)]))
  const ownNamespace = `--values=${join(chart, "values-own-namespace.yaml")}`

  describe("is equal in effect to", () => {
    it("deploy/overlays/cluster-wide, with the values that it has", async () => {
      assert.deepStrictEqual(effects(await render(apiserver)), effects(await kustomized("overlays/cluster-wide")))
    })

    it("deploy/overlays/single-namespace, but for names of policies that other operators do not have", async () => {
      const objects = await render(
        apiserver,
        ...set({ "watch.scope": "Namespaces", "watch.namespaces": ["kafka-backup"] })
      )
      const renamed = JSON.parse(
        JSON.stringify(objects).replaceAll("kafka-backup-system-kafka-backup-operator-", "kafka-backup-operator-")
      )
      assert.deepStrictEqual(effects(renamed), effects(await kustomized("overlays/single-namespace")))
    })

    it("deploy/overlays/own-image, with that image", async () => {
      const objects = await render(apiserver, ...set({ "image.repository": "registry.example.com/kafka-backup" }))
      assert.deepStrictEqual(effects(objects), effects(await kustomized("overlays/own-image")))
    })

    it("deploy/monitoring, with the monitors and rules switched on", async () => {
      const kinds = ["serviceMonitor", "podMonitor", "prometheusRule"]
      const values = Object.fromEntries(kinds.map((kind) => [`monitoring.${kind}.enabled`, true]))
      const isMonitoring = ({ apiVersion }: Json) => apiVersion.startsWith("monitoring.coreos.com/")
      const specs = (objects: ReadonlyArray<Json>) =>
        objects.filter(isMonitoring).map(({ kind, metadata, spec }) => [kind, metadata.namespace, metadata.name, spec])
      const found = specs(await render(apiserver, ...set(values)))
      const byLabel = found.find(([kind]) => kind === "ServiceMonitor")![3]
      // The Service is called after the release, and alerts have to know its job.
      assert.strictEqual(byLabel.jobLabel, "app.kubernetes.io/name")
      delete byLabel.jobLabel
      assert.sameDeepMembers(found, specs(await kustomized("monitoring")))
    })
  })

  it("has the alert about the operator itself ask for the operator of its own namespace", async () => {
    const rules = await Helm.succeed(apiserver, [
      "template",
      "kafka-backup-operator",
      chart,
      "--namespace=team-a",
      ...set({ "monitoring.prometheusRule.enabled": true, "crds.enabled": false }),
      "--show-only=templates/monitoring.yaml"
    ])
    const [rule] = parseAll(rules)
    const [down] = rule!["spec"].groups[0].rules
    assert.include(down.expr, 'namespace="team-a"')
    assert.strictEqual(down.labels.namespace, "team-a")
  })

  it("passes Helm's strict lint, with the definitions alone and with the values of each scope", async () => {
    const scopes = [[], [ownNamespace], set({ "watch.scope": "Namespaces", "watch.namespaces": ["orders", "billing"] })]
    for (const options of scopes) await Helm.succeed(apiserver, ["lint", "--strict", chart, ...options])
    await Helm.succeed(apiserver, ["lint", "--strict", definitionsChart])
  })

  it("gives a Role in each of the namespaces, and no rights in the cluster", async () => {
    const namespaces = ["orders", "billing", "orders"]
    const objects = await render(
      apiserver,
      ...set({ "watch.scope": "Namespaces", "watch.namespaces": namespaces, "crds.enabled": false })
    )
    const roles = objects
      .filter(({ kind }) => kind.endsWith("Role"))
      .map(({ kind, metadata }) => [kind, metadata.namespace])
    assert.sameDeepMembers(roles, [
      ["Role", "kafka-backup-system"],
      ["Role", "orders"],
      ["Role", "billing"]
    ])
    const [{ args }] = one(objects, "Deployment")["spec"].template.spec.containers
    assert.includeMembers(args, ["--watch-namespace=orders", "--watch-namespace=billing"])
  })

  it("lets no value be without effect", async () => {
    // As text, and without the definitions where those are not meant: there are many values.
    const known = new Map<string, Promise<string>>()
    const printed = (values: Json): Promise<string> => {
      const options = set(values)
      const key = options.join(" ")
      const text = known.get(key) ?? Helm.succeed(apiserver, ["template", "kafka-backup-operator", chart, ...options])
      known.set(key, text)
      return text
    }
    const base = (path: string): Json => ({
      ...(path.startsWith("crds.") ? {} : { "crds.enabled": false }),
      "monitoring.serviceMonitor.enabled": !path.endsWith("serviceMonitor.enabled"),
      "monitoring.podMonitor.enabled": !path.endsWith("podMonitor.enabled")
    })
    for (const [path, { beside = {}, value }] of Object.entries(alternatives)) {
      const others = { ...base(path), ...beside }
      assert.notStrictEqual(await printed({ ...others, [path]: value }), await printed(others), path)
    }
  })

  it.each(refused)("refuses $values in words that name the value", async ({ values, words }) => {
    const { code, stderr } = await Helm.run(apiserver, ["template", "x", chart, ...set(values)])
    assert.notStrictEqual(code, 0)
    for (const word of words) assert.include(stderr, word)
  })

  it("takes what is at the edges of that", async () => {
    for (const values of accepted)
      await Helm.succeed(apiserver, ["template", "x", chart, ...set({ "crds.enabled": false, ...values })])
  })

  it("keeps a user id of OpenShift's as it is, and leaves out what is null", async () => {
    const objects = await render(
      apiserver,
      ...set({
        "jobs.user": 1000650000,
        "podSecurityContext.runAsUser": null,
        "podSecurityContext.runAsGroup": null,
        "crds.enabled": false
      })
    )
    const { containers, securityContext } = one(objects, "Deployment")["spec"].template.spec
    assert.include(containers[0].args, "--job-user=1000650000")
    assert.deepStrictEqual(securityContext, { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } })
  })

  it("has the dashboard as a ConfigMap where the chart has one", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kafka-backup-chart-"))
    try {
      const dashboard = '{\n  "title": "{{ namespace }}"\n}\n'
      cpSync(chart, folder, { recursive: true })
      writeFileSync(join(folder, "files/dashboard.json"), dashboard)
      const options = [...set({ "monitoring.dashboard.enabled": true, "crds.enabled": false })]
      const [map] = parseAll(
        await Helm.succeed(apiserver, [
          "template",
          "kafka-backup-operator",
          folder,
          "--show-only=templates/monitoring.yaml",
          ...options
        ])
      )
      assert.strictEqual(map!["metadata"].labels.grafana_dashboard, "1")
      assert.strictEqual(map!["data"]["kafka-backup.json"].trim(), dashboard.trim())
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it("takes every command that the guide and the README have for it", async () => {
    const commands = ["docs/guides/install.md", "README.md"].flatMap((page) =>
      [...readFileSync(join(root, page), "utf8").matchAll(/^helm (install|upgrade) ((?:.*\\\n)*.*)$/gmu)].map(
        ([, verb = "", words = ""]) => [verb, ...words.split(/[\s\\]+/u)]
      )
    )
    assert.lengthOf(commands, 6)
    for (const [verb = "", ...words] of commands) {
      const places = words.map((word) => word.replace(/(?=deploy\/helm\/)/u, root))
      // Nothing is installed here that could be upgraded.
      await Helm.succeed(apiserver, ["upgrade", "--install", ...places, "--dry-run=client", `--description=${verb}`])
    }
  })

  describe("in a cluster", () => {
    const namespace = `helm-${Date.now()}`
    const helm = (...args: ReadonlyArray<string>) => Helm.succeed(apiserver, args)
    const kubectl = (...args: ReadonlyArray<string>) => Kubectl.succeed(apiserver, args)
    const names = async (kind: string, ...options: ReadonlyArray<string>): Promise<ReadonlyArray<string>> =>
      (await kubectl("get", kind, "--output=name", ...options)).split("\n").filter((name) => name !== "")
    // Other tests have made the definitions before, with kubectl.
    const overtaking = ["--take-ownership", "--force-conflicts"]

    it("is installed in one namespace by its administrator, on definitions that the cluster's has installed", async () => {
      await helm(
        "upgrade",
        "--install",
        "kafka-backup-crds",
        definitionsChart,
        `--namespace=${namespace}`,
        "--create-namespace",
        ...set({ "installRole.create": true }),
        ...overtaking
      )
      await Kubectl.established(apiserver, "crd/kafkabackups.kafka.oso.sh")
      const bind = (role: string) =>
        kubectl("create", "rolebinding", role, `--namespace=${namespace}`, `--clusterrole=${role}`, "--user=nina")
      await bind("admin")
      const asNina = ["kafka-backup-operator", chart, `--namespace=${namespace}`, ownNamespace, "--kube-as-user=nina"]
      const without = await Helm.run(apiserver, ["install", ...asNina])
      assert.notStrictEqual(without.code, 0)
      assert.include(without.stderr, "attempting to grant RBAC permissions not currently held")
      await bind("kafka-backup-install")
      await helm("upgrade", "--install", ...asNina)
      await helm("upgrade", ...asNina, ...set({ replicas: 1, "strimzi.enabled": true }))
      const { spec } = JSON.parse(
        await kubectl("get", "deployment", "kafka-backup-operator", `--namespace=${namespace}`, "-o", "json")
      )
      assert.strictEqual(spec.replicas, 1)
    })

    it("is refused where another operator has the Lease, or watches the same namespace", async () => {
      const install = (name: string, where: string, ...values: ReadonlyArray<string>) =>
        Helm.run(apiserver, [
          "install",
          name,
          chart,
          `--namespace=${where}`,
          ...values,
          ...set({ "crds.enabled": false })
        ])
      const second = await install("second", namespace, ...set({ "watch.scope": "OwnNamespace" }))
      assert.notStrictEqual(second.code, 0)
      assert.include(second.stderr, `namespace ${namespace} has an operator already, Deployment kafka-backup-operator`)
      const elsewhere = await install(
        "third",
        "default",
        ...set({ "watch.scope": "Namespaces", "watch.namespaces": [namespace] })
      )
      assert.notStrictEqual(elsewhere.code, 0)
      assert.include(elsewhere.stderr, `an operator in namespace ${namespace} watches namespace ${namespace} already`)
      const binding = {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRoleBinding",
        metadata: { name: `first-${namespace}`, labels: { "app.kubernetes.io/name": "kafka-backup-operator" } },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "kafka-backup-view" },
        subjects: [{ kind: "ServiceAccount", name: "kafka-backup-operator", namespace: "somewhere" }]
      }
      await Kubectl.succeed(apiserver, ["create", "-f", "-"], JSON.stringify(binding))
      try {
        const everywhere = await install("fourth", "default")
        assert.notStrictEqual(everywhere.code, 0)
        assert.include(everywhere.stderr, "watches all namespaces already (ClusterRoleBinding ")
      } finally {
        await kubectl("delete", "clusterrolebinding", `first-${namespace}`)
      }
    })

    it("lets its release be no larger than a Secret may be, by far", async () => {
      const secrets = JSON.parse(
        await kubectl("get", "secrets", `--namespace=${namespace}`, "--selector=owner=helm", "-o", "json")
      ).items as ReadonlyArray<Json>
      assert.isAtLeast(secrets.length, 2)
      for (const { data } of secrets) assert.isBelow(data.release.length, 512 * 1024)
    })

    it("leaves the definitions and all resources behind when it is uninstalled", async () => {
      const sample = readFileSync(join(root, "deploy/samples/06-pvc.yaml"), "utf8")
      await Kubectl.succeed(apiserver, ["create", `--namespace=${namespace}`, "-f", "-"], sample)
      await helm("uninstall", "kafka-backup-operator", `--namespace=${namespace}`)
      await helm("uninstall", "kafka-backup-crds", `--namespace=${namespace}`)
      assert.lengthOf(await names("kafkabackups", `--namespace=${namespace}`), 1)
      const definitions = await names("customresourcedefinitions")
      for (const name of ["kafkabackups", "kafkarestores", "kafkaoffsetresets", "kafkaoffsetrollbacks"])
        assert.include(definitions, `customresourcedefinition.apiextensions.k8s.io/${name}.kafka.oso.sh`)
      assert.lengthOf(
        await names("deployments,roles,serviceaccounts", "-l=helm.sh/chart", `--namespace=${namespace}`),
        0
      )
      await kubectl("delete", "namespace", namespace, "--wait=false")
    })
  })
})
