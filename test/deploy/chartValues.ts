import type { Json } from "./manifests.ts"

/** Another value for each one that the chart has, by its path, and what has to be set beside it to make it matter. */
export const alternatives: Readonly<Record<string, { readonly value: unknown; readonly beside?: Json }>> = {
  fullnameOverride: { value: "other" },
  commonLabels: { value: { team: "data" } },
  "image.repository": { value: "registry.example.com/kafka-backup" },
  "image.tag": { value: "9.9.9" },
  "image.digest": { value: `sha256:${"a".repeat(64)}` },
  "image.pullPolicy": { value: "Always" },
  imagePullSecrets: { value: [{ name: "registry" }] },
  replicas: { value: 1 },
  "watch.scope": { value: "OwnNamespace" },
  "watch.namespaces": {
    value: ["orders"],
    beside: { "watch.scope": "Namespaces", "watch.namespaces": ["billing"] }
  },
  "jobs.image": { value: "registry.example.com/jobs:1" },
  "jobs.imagePullPolicy": { value: "Never" },
  "jobs.user": { value: "assigned" },
  "jobs.maxConcurrentRuns": { value: 11 },
  "jobs.maxConcurrentDrills": { value: 3 },
  "jobs.maxConcurrentChecks": { value: 3 },
  "jobs.checkInterval": { value: "off" },
  "ui.enabled": { value: true },
  "strimzi.enabled": { value: true },
  "crds.enabled": { value: false },
  "crds.keep": { value: false },
  "crds.annotations": { value: { "argocd.argoproj.io/sync-options": "ServerSideApply=true" } },
  "crds.commonLabels": { value: { team: "data" } },
  "crds.userRoles.create": { value: false },
  "crds.installRole.create": { value: true },
  "admissionPolicy.enabled": { value: false },
  "serviceAccount.create": { value: false, beside: { "serviceAccount.name": "other" } },
  "serviceAccount.name": { value: "other" },
  "serviceAccount.annotations": { value: { "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/x" } },
  podLabels: { value: { "azure.workload.identity/use": "true" } },
  podAnnotations: { value: { note: "x" } },
  podSecurityContext: { value: { fsGroup: 1 } },
  securityContext: { value: { runAsUser: 7 } },
  resources: { value: { limits: { cpu: "1" } } },
  "heap.oldMiB": { value: 150 },
  "heap.youngMiB": { value: 3 },
  nodeSelector: { value: { disk: "ssd" } },
  tolerations: { value: [{ operator: "Exists" }] },
  affinity: { value: { nodeAffinity: {} } },
  priorityClassName: { value: "high" },
  topologySpreadConstraints: { value: [] },
  extraEnv: { value: [{ name: "A", value: "b" }] },
  extraArgs: { value: ["--no-leader-election"], beside: { replicas: 1 } },
  "metrics.port": { value: 8081 },
  "service.annotations": { value: { "prometheus.io/scrape": "true" } },
  "networkPolicy.enabled": { value: false },
  "networkPolicy.metricsFrom": { value: [] },
  "networkPolicy.apiServerPorts": { value: [16443] },
  "podDisruptionBudget.enabled": { value: false },
  "podDisruptionBudget.maxUnavailable": { value: "50%" },
  "monitoring.labels": { value: { release: "prometheus" } },
  "monitoring.serviceMonitor.enabled": { value: true },
  "monitoring.serviceMonitor.interval": { value: "10s" },
  "monitoring.podMonitor.enabled": { value: true },
  "monitoring.podMonitor.interval": { value: "10s" },
  "monitoring.prometheusRule.enabled": { value: true }
}

/** Values that the chart refuses, and words of the refusal: the value, and what it should be. */
export const refused: ReadonlyArray<{ readonly values: Json; readonly words: ReadonlyArray<string> }> = [
  { values: { replica: 3 }, words: ["replica", "not allowed"] },
  { values: { replicas: "two" }, words: ["replicas", "want integer"] },
  { values: { "watch.scope": "Everything" }, words: ["watch", "scope", "AllNamespaces", "OwnNamespace"] },
  { values: { "watch.scope": "Namespaces" }, words: ["watch.namespaces: name at least one namespace"] },
  {
    values: { "watch.namespaces": ["orders"] },
    words: ["watch.namespaces: watch.scope AllNamespaces does not use it"]
  },
  { values: { "image.tag": "a tag" }, words: ["image", "tag", "pattern"] },
  { values: { "jobs.user": 0 }, words: ["jobs", "user"] },
  { values: { "jobs.checkInterval": "6 hours" }, words: ["jobs", "checkInterval", "pattern"] },
  { values: { extraArgs: ["--ui"] }, words: ["extraArgs: --ui is set by the value ui.enabled"] },
  { values: { extraArgs: ["--no-leader-election"] }, words: ["extraArgs: --no-leader-election", "replicas to 1"] },
  { values: { commonLabels: { "app.kubernetes.io/name": "x" } }, words: ["commonLabels: app.kubernetes.io/name"] },
  { values: { "crds.kept": false }, words: ["kept", "not allowed"] },
  { values: { extraArgs: ["--image=x"] }, words: ["extraArgs: --image is set by the value jobs.image"] },
  { values: { extraEnv: [{ name: "NODE_OPTIONS", value: "" }] }, words: ["NODE_OPTIONS", "heap.oldMiB"] },
  { values: { podLabels: { "app.kubernetes.io/name": "x" } }, words: ["podLabels: app.kubernetes.io/name"] },
  { values: { "serviceAccount.create": false }, words: ["serviceAccount.name: give the name"] },
  { values: { "heap.oldMiB": 200 }, words: ["heap: 206 MiB", "resources.limits.memory, 256Mi"] },
  { values: { "heap.oldMiB": 200, "resources.limits.memory": "200M" }, words: ["heap: 206 MiB", "200M"] },
  { values: { "resources.limits.memory": "0.1Gi" }, words: ["heap: 166 MiB", "0.1Gi"] },
  { values: { "resources.limits.memory": 104857600 }, words: ["heap: 166 MiB", "104857600"] },
  { values: { "resources.limits.memory": "256MB" }, words: ["resources.limits.memory: 256MB", "256Mi"] },
  { values: { "jobs.checkInterval": "5m" }, words: ["jobs", "checkInterval", "pattern"] },
  { values: { "jobs.checkInterval": "169h" }, words: ["jobs", "checkInterval", "pattern"] },
  { values: { "jobs.user": 2147483648 }, words: ["jobs", "user"] },
  {
    values: { "image.repository": "registry:5000/a/b:1.2" },
    words: ["image.repository: registry:5000/a/b:1.2", "image.tag"]
  },
  { values: { extraEnv: [{ name: "MALLOC_ARENA_MAX", value: "1" }] }, words: ["extraEnv: MALLOC_ARENA_MAX"] },
  {
    values: {
      extraEnv: [
        { name: "A", value: "1" },
        { name: "A", value: "2" }
      ]
    },
    words: ["extraEnv: A is there twice"]
  },
  { values: { extraArgs: ["--no-leader-election=true"] }, words: ["extraArgs: --no-leader-election=true", "replicas"] },
  { values: { extraArgs: ["--namespace=other"] }, words: ["extraArgs: --namespace is given by the pod"] },
  { values: { extraArgs: ["--identity=x"] }, words: ["extraArgs: --identity is given by the pod"] }
]

/** Values at the edges of what is refused. */
export const accepted: ReadonlyArray<Json> = [
  { "resources.limits.memory": "0.25Gi" },
  { "resources.limits.memory": "300M" },
  { "resources.limits.memory": 268435456 },
  { "resources.limits.memory": "3e8" },
  { "jobs.checkInterval": "10m" },
  { "jobs.checkInterval": "168h" },
  { "jobs.user": 2147483647 },
  { "image.repository": "registry:5000/a/b" },
  { extraArgs: ["--no-leader-election"], replicas: 1 }
]
