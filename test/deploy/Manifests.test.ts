import { readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { parse } from "yaml"
import { defaultUser, metricsPort } from "../../src/operator/jobs/JobSettings.ts"
import { managedBy, nameLabel, purposeLabel } from "../../src/operator/Labels.ts"
import { families, prefix } from "../../src/telemetry/OperatorFamilies.ts"
import { electionRights, type Json, lines, objectsOf, one, operatorRights, root, type Rule } from "./manifests.ts"

const folder = `${root}deploy/`
const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
  (file) => file.endsWith(".yaml") && !file.startsWith("samples") && !file.startsWith("helm")
)
const roles = files.flatMap(objectsOf).filter(({ kind }) => kind === "Role" || kind === "ClusterRole")

describe("rights in deploy/", () => {
  it("are in roles that were found", () => {
    assert.deepStrictEqual(roles.map(({ kind, metadata }) => `${kind} ${metadata.name}`).toSorted(), [
      "ClusterRole kafka-backup-commands",
      "ClusterRole kafka-backup-edit",
      "ClusterRole kafka-backup-operator",
      "ClusterRole kafka-backup-operator-strimzi",
      "ClusterRole kafka-backup-view",
      "Role kafka-backup-operator",
      "Role kafka-backup-operator-election",
      "Role kafka-backup-operator-strimzi"
    ])
  })

  it("name every group, resource and verb, without wildcards", () => {
    for (const { rules } of roles) {
      assert.isNotEmpty(rules)
      for (const rule of rules as ReadonlyArray<Rule>) {
        const words = [...(rule.apiGroups ?? []), ...(rule.resources ?? []), ...rule.verbs]
        for (const word of words) assert.notInclude(word, "*")
        assert.isUndefined(rule.nonResourceURLs)
        assert.isNotEmpty(rule.apiGroups)
        assert.isNotEmpty(rule.resources)
        // An empty list of names means all of them.
        if ("resourceNames" in rule) assert.isNotEmpty(rule.resourceNames)
      }
    }
  })

  it("include no Secret, no shell, no token and no further rights", () => {
    const forbidden = /secrets|exec|attach|portforward|proxy|serviceaccounts|token|roles|bindings|configmaps|nodes/
    const verbs = /escalate|bind|impersonate|deletecollection/
    for (const { metadata, rules } of roles) {
      for (const { resources, verbs: given } of rules as ReadonlyArray<Rule>) {
        for (const resource of resources ?? []) assert.notMatch(resource, forbidden)
        if (metadata.name !== "kafka-backup-edit") for (const verb of given) assert.notMatch(verb, verbs)
      }
    }
  })

  it("are the same for all namespaces and for one, and exactly what the operator uses", () => {
    const everywhere = one(objectsOf("overlays/cluster-wide/cluster-role.yaml"), "ClusterRole")
    const inOne = one(objectsOf("overlays/single-namespace/role.yaml"), "Role")
    assert.deepStrictEqual(lines(everywhere["rules"]), lines(operatorRights))
    assert.deepStrictEqual(inOne["rules"], everywhere["rules"])
    const strimzi = [{ apiGroups: ["kafka.strimzi.io"], resources: ["kafkas", "kafkausers"], verbs: ["get"] }]
    assert.deepStrictEqual(one(objectsOf("components/strimzi/strimzi-role.yaml"), "ClusterRole")["rules"], strimzi)
    const strimziInOne = one(objectsOf("components/strimzi-single-namespace/role.yaml"), "Role")
    assert.deepStrictEqual(strimziInOne["rules"], strimzi)
    const election = one(objectsOf("base/election-role.yaml"), "Role")
    assert.deepStrictEqual(lines(election["rules"]), lines(electionRights))
  })
})

const deployment = one(objectsOf("base/deployment.yaml"), "Deployment")
const pod: Json = deployment["spec"].template.spec
const [container, ...others] = pod["containers"] as ReadonlyArray<Json>

describe("the operator's Deployment", () => {
  it("keeps to the restricted Pod Security Standard", () => {
    assert.lengthOf(others, 0)
    assert.strictEqual(pod["securityContext"].runAsNonRoot, true)
    assert.strictEqual(pod["securityContext"].runAsUser, defaultUser)
    assert.deepStrictEqual(pod["securityContext"].seccompProfile, { type: "RuntimeDefault" })
    assert.deepStrictEqual(container!["securityContext"], {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] }
    })
    const [namespace] = objectsOf("base/namespace.yaml")
    assert.strictEqual(namespace!["metadata"].labels["pod-security.kubernetes.io/enforce"], "restricted")
  })

  it("gets no secret, and its own name and namespace", () => {
    const env = container!["env"] as ReadonlyArray<Json>
    assert.isTrue(env.every(({ valueFrom }) => valueFrom === undefined || "fieldRef" in valueFrom))
    const fields = Object.fromEntries(env.map(({ name, valueFrom }) => [name, valueFrom?.fieldRef.fieldPath]))
    assert.strictEqual(fields["POD_NAME"], "metadata.name")
    assert.strictEqual(fields["POD_NAMESPACE"], "metadata.namespace")
    assert.isUndefined(container!["envFrom"])
  })

  it("has a heap that fits below its memory limit", () => {
    const env = container!["env"] as ReadonlyArray<Json>
    const options: string = env.find(({ name }) => name === "NODE_OPTIONS")!["value"]
    const oldMiB = Number(/--max-old-space-size=(\d+)/.exec(options)?.[1])
    // Three of them are the young generation.
    const semiMiB = Number(/--max-semi-space-size=(\d+)/.exec(options)?.[1])
    assert.isAbove(oldMiB, 0)
    assert.isAbove(semiMiB, 0)
    const heapMiB = oldMiB + 3 * semiMiB
    assert.isAtMost(heapMiB, Number.parseInt(container!["resources"].limits.memory, 10) * 0.7)
  })

  it("runs one image, in its Jobs too, and is probed where it listens", () => {
    const env = container!["env"] as ReadonlyArray<Json>
    assert.strictEqual(env.find(({ name }) => name === "IMAGE_OF_JOBS")!["value"], container!["image"])
    assert.deepStrictEqual(container!["args"], ["operator", "--image=$(IMAGE_OF_JOBS)", "--listen=:8080"])
    const [port] = container!["ports"] as ReadonlyArray<Json>
    assert.strictEqual(port!["containerPort"], 8080)
    for (const [probe, path] of [
      ["livenessProbe", "/healthz"],
      ["readinessProbe", "/readyz"]
    ] as const) {
      assert.deepStrictEqual(container![probe].httpGet, { path, port: port!["name"] })
    }
  })

  it("has the same options for one namespace, and its name", () => {
    const patch = one(objectsOf("overlays/single-namespace/watch-namespace.yaml"), "Deployment")
    const [patched] = patch["spec"].template.spec.containers as ReadonlyArray<Json>
    assert.deepStrictEqual(patched!["args"], [...container!["args"], "--watch-namespace=$(WATCHED_NAMESPACE)"])
  })

  it("has the same options for several namespaces, and the names of those that it has rights in", () => {
    const patch = one(objectsOf("overlays/several-namespaces/watch-namespaces.yaml"), "Deployment")
    const [patched] = patch["spec"].template.spec.containers as ReadonlyArray<Json>
    const bound = objectsOf("overlays/several-namespaces/role-bindings.yaml").map(({ metadata }) => metadata.namespace)
    assert.isAtLeast(bound.length, 2)
    assert.deepStrictEqual(patched!["args"], [
      ...container!["args"],
      ...bound.map((namespace) => `--watch-namespace=${namespace}`)
    ])
  })

  it("is selected by its Service, its budget, its policy and its monitor, all by the same labels", () => {
    const labels = deployment["spec"].template.metadata.labels
    assert.deepStrictEqual(one(objectsOf("base/service.yaml"), "Service")["spec"].selector, labels)
    const budget = one(objectsOf("base/pod-disruption-budget.yaml"), "PodDisruptionBudget")
    assert.deepStrictEqual(budget["spec"].selector.matchLabels, labels)
    const policy = one(objectsOf("base/network-policy.yaml"), "NetworkPolicy")
    assert.deepStrictEqual(policy["spec"].podSelector.matchLabels, labels)
    const monitor = one(objectsOf("monitoring/service-monitor.yaml"), "ServiceMonitor")
    assert.deepStrictEqual(monitor["spec"].selector.matchLabels, labels)
  })

  it("has the pods of its runs, restores and drills monitored by their labels and the name of their port", () => {
    const monitor = one(objectsOf("monitoring/pod-monitor.yaml"), "PodMonitor")
    assert.deepStrictEqual(monitor["spec"].selector, {
      matchLabels: { [managedBy.key]: managedBy.value },
      matchExpressions: [{ key: purposeLabel, operator: "In", values: ["run", "restore", "drill"] }]
    })
    assert.deepStrictEqual(monitor["spec"].podTargetLabels, [nameLabel])
    assert.strictEqual(monitor["spec"].podMetricsEndpoints[0].port, "metrics")
  })

  it("may reach the progress port of its Jobs' pods", () => {
    const policy = one(objectsOf("base/network-policy.yaml"), "NetworkPolicy")
    const egress = policy["spec"].egress as ReadonlyArray<Json>
    const toJobs = egress.find(({ ports }) => ports.some(({ port }: Json) => port === metricsPort))
    assert.deepStrictEqual(toJobs?.["to"], [
      { namespaceSelector: {}, podSelector: { matchLabels: { [managedBy.key]: managedBy.value } } }
    ])
  })
})

describe("alerts", () => {
  const rule = one(objectsOf("monitoring/prometheus-rule.yaml"), "PrometheusRule")
  const alerts = (rule["spec"].groups as ReadonlyArray<Json>).flatMap(({ rules }) => rules as ReadonlyArray<Json>)
  const runbooks = readFileSync(`${root}docs/guides/operations.md`, "utf8")
  const headings = new Set([...runbooks.matchAll(/^#+ (.+)$/gmu)].map(([, heading]) => heading))

  it("are made of metrics that the operator has, with labels that those have", () => {
    assert.isAtLeast(alerts.length, 8)
    const names = new Set<string>()
    for (const { alert, ...rest } of alerts) {
      const expr: string = rest["expr"]
      const alternatives = expr.replace(
        /\(([a-z_]+)\|([a-z_]+)\)(_timestamp_seconds)/u,
        (_, one: string, other: string, end: string) => `${one}${end} ${prefix}${other}${end}`
      )
      const used = [...alternatives.matchAll(/kafka_backup_operator_(\w+?)(?=[{[)\s"]|$)/gmu)].map(([, name]) => name!)
      assert.isTrue(used.length > 0 || expr.includes("up{"), alert)
      for (const name of used) {
        assert.property(families, name, alert)
        names.add(name)
      }
      for (const [, name = "", selector = ""] of expr.matchAll(/kafka_backup_operator_(\w+)\{([^}]+)\}/gu)) {
        const { labels } = families[name as keyof typeof families]
        for (const [, label] of selector.matchAll(/(\w+)=~?"/gu)) assert.include(labels, label, alert)
      }
    }
    for (const name of ["last_success_timestamp_seconds", "scheduled_since_timestamp_seconds", "runs_total"]) {
      assert.isTrue(names.has(name), name)
    }
  })

  it("carry the namespace of their resource for routing, and name only labels that they have", () => {
    for (const { alert, annotations, expr, labels } of alerts) {
      const isOfResource = (expr as string).includes("by (resource_namespace, name")
      const isOfReplicas = (expr as string).includes("by (namespace)")
      assert.strictEqual(
        labels.namespace,
        isOfResource ? "{{ $labels.resource_namespace }}" : isOfReplicas ? undefined : "kafka-backup-system",
        alert
      )
      const grouped = new Set([...(expr as string).matchAll(/by \(([\w, ]+)\)/gu)].map(([, by]) => by))
      assert.isAtMost(grouped.size, 1, `${alert} is grouped in more than one way`)
      const has = [...grouped].flatMap((by) => by!.split(", "))
      for (const text of [annotations.summary, annotations.description]) {
        for (const [, label] of (text as string).matchAll(/\$labels\.(\w+)/gu)) assert.include(has, label, alert)
      }
    }
  })

  it("go on while another replica takes the lead, where they tell of a state", () => {
    for (const { alert, expr, ...rest } of alerts) {
      const isOfState = (expr as string).includes("by (resource_namespace, name") && !(expr as string).startsWith("sum")
      assert.strictEqual(rest["keep_firing_for"], isOfState ? "5m" : undefined, alert)
    }
  })

  it("each have a runbook of their name, which their link leads to, and no runbook is without its alert", () => {
    for (const { alert, annotations, labels } of alerts) {
      assert.isTrue(headings.has(alert), `docs/guides/operations.md has no heading ${alert}`)
      assert.isTrue(annotations.runbook_url.endsWith(`/docs/guides/operations.md#${alert.toLowerCase()}`))
      assert.include(["critical", "warning"], labels.severity)
      assert.isNotEmpty(annotations.summary)
    }
    const named = [...headings].filter((heading) => /^Kafka(Backup|Restore)[A-Z]\w+$/u.test(heading!))
    assert.deepStrictEqual(named.toSorted(), alerts.map(({ alert }) => alert as string).toSorted())
  })
})

describe("kustomizations", () => {
  it("name files and folders that exist, and leave no manifest out", () => {
    const kustomizations = files.filter((file) => file.endsWith("kustomization.yaml"))
    const named = kustomizations.flatMap((file) => {
      const { patches = [], resources = [] } = parse(readFileSync(folder + file, "utf8")) as Json
      const paths = (patches as ReadonlyArray<Json>).flatMap(({ path }) => (path === undefined ? [] : [path]))
      return [...resources, ...paths].map((name: string) =>
        new URL(name, new URL(file, "file:///deploy/")).pathname.replace("/deploy/", "")
      )
    })
    // What krew reads is no object of a cluster.
    const manifests = files.filter((file) => !file.endsWith("kustomization.yaml") && !file.startsWith("krew/"))
    assert.deepStrictEqual(manifests.toSorted(), named.filter((name) => name.endsWith(".yaml")).toSorted())
  })
})
